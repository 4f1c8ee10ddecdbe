"""manage.py import_values FILE: figures of indicators that are reported by units."""

from django.utils import timezone
from django.utils.translation import gettext as _

from indicators import imports
from units.importing import ImportCommand


class Command(ImportCommand):
    help = (
        "Takes figures in from CSV or XLSX: month, indicator, unit, value (or numerator and denominator), state. "
        "An empty value leaves what is there; the states 'not applicable' and 'blank' (take back) are written out."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--approved", action="store_true", help="the figures were approved: not provisional")

    def take_in(self, path, options):
        taken = imports.take_in(
            by=self.person(options),
            path=path,
            now=timezone.now(),
            accept_valid=options["accept_valid"],
            dry_run=options["dry_run"],
            is_provisional=not options["approved"],
        )
        self.tell_refused(path, taken.columns, taken.refused, options)
        message = _("Figures: %(created)d new, %(changed)d changed, %(blanked)d taken back, %(unchanged)d unchanged.")
        self.stdout.write(message % vars(taken.written))
        if taken.empty:
            self.stdout.write(_("%(n)d rows said nothing and were passed over.") % {"n": taken.empty})
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
