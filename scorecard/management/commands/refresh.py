"""Compute scorecards from figures: one month, or all."""

import os

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from indicators.months import parse_month
from scorecard import refresh
from units.models import Institution


class Command(BaseCommand):
    help = "Compute the scorecards of a month, or of all months that have figures, and write those that changed."

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--month", help="for example 2023-05")
        which.add_argument("--all", action="store_true", help="every month that has figures")
        parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="years computed side by side")
        parser.add_argument("--institution", help="code of one institution; all by default")

    def handle(self, *, month, institution, jobs, verbosity, **options):
        body = None
        if institution:
            body = Institution.objects.filter(code=institution).first()
            if body is None:
                raise CommandError(_("There is no institution %(code)s.") % {"code": institution})
        try:
            only = parse_month(month) if month else None
        except ValueError as error:
            raise CommandError(str(error)) from error
        changed = refresh.refresh(
            now=timezone.now(),
            institution=body,
            from_month=only,
            to_month=only,
            jobs=jobs,
            progress=self._say if verbosity > 1 else None,
        )
        self.stdout.write(
            _("%(written)s scorecards written, %(removed)s taken out.")
            % {"written": changed.written, "removed": changed.removed}
        )

    def _say(self, code, year, changed):
        self.stdout.write(f"{code} {year}: {changed.written}")
