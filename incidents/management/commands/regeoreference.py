"""`manage.py regeoreference --from 2023-01 --to 2023-12`: incidents placed anew after boundaries changed."""

from datetime import datetime

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from incidents.regeoreference import ask_for, regeoreference
from indicators.months import add_months
from units.models import User


def _month(text):
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise CommandError(f"{text}: a month is written 2023-01.") from None


class Command(BaseCommand):
    help = "Places incidents by the boundaries of their day as they are known now; keeps what was said before."

    def add_arguments(self, parser):
        parser.add_argument("--from", dest="first", required=True, help="first month, 2023-01")
        parser.add_argument("--to", dest="last", required=True, help="last month, 2023-12")
        parser.add_argument("--by", help="user name of who does it")
        parser.add_argument("--reason", default="")
        parser.add_argument("--queue", action="store_true", help="let the workers do it, one task a month")
        parser.add_argument("--dry-run", action="store_true", help="count what would move, and write nothing")

    def handle(self, *, first, last, by, reason, queue, dry_run, **options):
        start, end = _month(first), add_months(_month(last), 1)
        if end <= start:
            raise CommandError("The last month lies before the first.")
        user = User.objects.filter(username=by).first()
        if by and user is None:
            raise CommandError(f"There is no user {by}.")

        if queue and dry_run:
            raise CommandError("A dry run tells what would move, and workers tell nobody: it is not queued.")
        if queue:
            asked = ask_for(by=user, from_month=start, to_month=end, reason=reason)
            self.stdout.write(f"{asked} months asked for; the workers' log tells what moved.")
            return

        def tell(month, placed):
            self.stdout.write(f"{month:%Y-%m}: {placed.looked_at} looked at, {placed.moved} moved")

        regeoreference(
            by=user, from_month=start, to_month=end, now=timezone.now(), reason=reason, dry_run=dry_run, progress=tell
        )
