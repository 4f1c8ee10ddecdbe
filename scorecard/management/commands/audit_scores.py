"""Recompute scorecards by an independent, slow path and say where the stored ones differ."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from indicators.months import format_month, parse_month
from scorecard.audit import Audit
from scorecard.audit.reading import span_of_figures
from units.models import Institution


class Command(BaseCommand):
    help = (
        "Compute scorecards once more, row by row in plain Python with exact fractions, and compare every field of "
        "every stored card; by default of all units in the latest month that has figures. Any difference is listed and "
        "is a failure."
    )

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--month", help="for example 2023-05; the latest by default")
        which.add_argument("--all", action="store_true", help="every month that has figures")
        parser.add_argument("--institution", help="code of one institution; all by default")
        parser.add_argument(
            "--units",
            default="all",
            metavar="N | all",
            help="all units (default), or as many of each institution, drawn over its levels below the top",
        )

    def handle(self, *, month, institution, units, verbosity, **options):
        body = _institution(institution)
        first, last = _months(month, options["all"])
        audit = Audit(
            now=timezone.now(),
            institution=body,
            units=_count(units),
            progress=self._progress if verbosity > 1 else None,
        )
        self._say_what(first, last, units)
        found = 0
        for difference in audit.differences(first, last):
            found += 1
            self.stdout.write(str(difference))
        if found:
            raise CommandError(
                _("%(found)s differences in %(cards)s scorecards.") % {"found": found, "cards": audit.compared}
            )
        self.stdout.write(_("%(cards)s scorecards compared, no difference.") % {"cards": audit.compared})

    def _say_what(self, first, last, units):
        months = format_month(first) if first == last and first else _("every month that has figures")
        who = _("all units") if units == "all" else _("%(n)s units of each institution, drawn") % {"n": units}
        self.stdout.write(_("Comparing %(months)s, %(who)s.") % {"months": months, "who": who})

    def _progress(self, code, month, cards, found):
        self.stdout.write(
            _("%(code)s %(month)s: %(cards)s scorecards, %(found)s differences")
            % {"code": code, "month": format_month(month), "cards": cards, "found": found}
        )
        self.stdout.flush()


def _institution(code):
    if not code:
        return None
    if found := Institution.objects.filter(code=code).first():
        return found
    raise CommandError(_("There is no institution %(code)s.") % {"code": code})


def _months(text, every):
    """First and last month wanted; (None, None) for all."""
    if every:
        return None, None
    if text:
        try:
            return (parse_month(text),) * 2
        except ValueError as error:
            raise CommandError(str(error)) from error
    span = span_of_figures()
    return (span[1], span[1]) if span else (None, None)


def _count(units):
    if units == "all":
        return None
    if units.isdecimal() and int(units) > 0:
        return int(units)
    raise CommandError(_("--units takes a number or “all”."))
