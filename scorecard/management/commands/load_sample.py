"""manage.py load_sample: Ecuador to this day with real codes, names and yearly totals, and simulated detail."""

from time import perf_counter

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from scorecard.sample import accounts, state
from scorecard.sample.years import LOADED


class Command(BaseCommand):
    help = (
        "Load the sample country with its figures, targets, people and scorecards; what is there already stays. "
        "See docs/sample-country.md, and docs/real-country.md for --structure."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--structure", action="store_true", help="institutions, units, people, sheets and plans alone, no figures"
        )
        parser.add_argument("--years", type=int, default=LOADED, help="load only the last so many years")
        parser.add_argument("--processes", type=int, default=2, help="how many write at once")
        parser.add_argument("--seed", type=int, default=1, help="of what is simulated")

    def handle(self, *, structure, years, processes, seed, **options):
        if not 1 <= years <= LOADED:
            raise CommandError(_("--years goes from 1 to %(most)d.") % {"most": LOADED})
        if not structure and state.is_loaded():
            self.say(_("The sample country is loaded; nothing to do."))
            return
        if state.holds_another():
            message = _("The database already holds a country: the sample needs one without institutions.")
            raise CommandError(message)
        if structure:
            self._load_structure()
        else:
            self._load(years, processes, seed)

    def _load_structure(self):
        from scorecard.sample import load

        load.load_structure(say=self.say)

    def _load(self, years, processes, seed):
        from scorecard.sample import load  # as much as a second: not for one who only asks

        started = perf_counter()
        counts = load.load(
            load.Loading(
                now=timezone.localtime(), password=accounts.password_hash(), count=years, processes=processes,
                seed=seed, say=self.say,
            )
        )  # fmt: skip
        words = _("%(seconds).0f s: %(measurements)s figures, %(targets)s targets, %(cards)s scorecards.")
        figures = {name: f"{number:,}" for name, number in counts.items()}
        self.say(words % {"seconds": perf_counter() - started, **figures})

    def say(self, line):
        self.stdout.write(line)
        self.stdout.flush()
