import io
import os

from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.utils import timezone, translation

from scorecard import engines, supervisor, translations


class Command(BaseCommand):
    help = "Runs the whole site on this machine: engines, tables, the sample country, the site, a worker and beat."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--no-sample", action="store_true", help="leave the tables empty")
        parser.add_argument("--prepare", action="store_true", help="only make tables, sample and static files ready")

    def handle(self, *, host, port, no_sample, prepare, **options):
        if prepare:
            self.prepare(with_sample=not no_sample)
            return
        try:
            supervisor.demo(host=host, port=port, with_sample=not no_sample, say=self.say)
        except (supervisor.DemoError, engines.EngineError) as error:
            raise CommandError(str(error)) from None

    def say(self, line):
        self.stdout.write(line)
        self.stdout.flush()

    def prepare(self, *, with_sample):
        translation.activate("en")  # as all that a demo says: it has no reader's language
        self.say("migrating")
        call_command("migrate", verbosity=0, interactive=False)
        if with_sample:
            self.load_sample()
            self.open_feeds()
        translations.compile_all()
        call_command("collectstatic", verbosity=0, interactive=False)
        self.write_accounts()

    def load_sample(self):
        """The sample, or what is missing of it; a database with a country of its own is left as it is."""
        from scorecard.sample import state

        if not state.is_loaded() and not state.holds_another():
            self.say("loading the sample country")
            call_command("load_sample")

    def open_feeds(self):
        """Accounts for the simulated feed, where it is wanted."""
        from scorecard.sample import feeders

        if supervisor.feed_rate():
            feeders.make_ready(timezone.now())

    def write_accounts(self):
        """One account a role, for the supervisor to print when the site answers."""
        text = io.StringIO()
        call_command("accounts", stdout=text)
        engines.write_private(engines.var_dir() / "run" / "accounts.txt", text.getvalue())
