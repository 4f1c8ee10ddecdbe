"""`manage.py pull NAME [--once]`: read a connector now, to the end of what it has or a single page."""

from django.core.management.base import BaseCommand, CommandError

from incidents.connect import pull as pulling
from incidents.connect.models import Connector
from incidents.connect.rules import RULES
from incidents.feed.outcome import RESULTS


class Command(BaseCommand):
    help = "Reads a connector now, whether it is its turn or not, and says what came of it."

    def add_arguments(self, parser):
        parser.add_argument("name", help="name of the connector")
        parser.add_argument("--once", action="store_true", help="a single page")

    def handle(self, *, name, once, **options):
        connector = Connector.objects.filter(name=name).first()
        if connector is None:
            known = ", ".join(Connector.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no connector {name}. Those that there are: {known}.")
        told = pulling.pull(pk=connector.pk, is_due=False, pages=1 if once else None)
        if told is None:
            raise CommandError(f"{name} is being read by another process.")
        counts = ", ".join(f"{told[result]} {result}" for result in RESULTS if told[result]) or "nothing new"
        self.stdout.write(f"{name}: {told['pages']} pages, {counts}")
        if told["failed"]:
            connector.refresh_from_db()
            said = RULES.get(connector.last_rule, connector.last_rule)
            raise CommandError(
                f"{name}: {connector.last_rule}: {said} {connector.last_error} Next at {connector.next_attempt_at:%c}."
            )
