"""manage.py simulate_feed: made-up events of this moment, posted to a site as institutions' systems would post them."""

import secrets
import time
from pathlib import Path

import httpx
import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from scorecard import engines

PATH = "/api/v1/incidents"
LONGEST_PAUSE = 30.0
TOLD_EVERY = 100


class Command(BaseCommand):
    help = (
        "Posts simulated events of now, one at a time, until it is stopped: emergencies and what becomes of them, "
        "robberies, a homicide now and then, a reclassification, a retraction. For demonstrations and trials alone."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--rate", type=float, default=0.5, help="events a second")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the site")
        parser.add_argument("--count", type=int, help="stop after so many")
        parser.add_argument("--seed", type=int, help="of chance; else another each time")
        parser.add_argument(
            "--token", action="append", metavar="CODE=FILE",
            help="an institution and the file that holds its token; else those that the demo left in var/run/feeds/",
        )  # fmt: skip

    def handle(self, *, rate, url, count, seed, token, **options):
        if not rate > 0:
            raise CommandError(_("The rate is more than 0 events a second."))
        from scorecard.sample.feed import Feed

        tokens = _tokens(token)
        feed = Feed(np.random.default_rng(seed), secrets.token_hex(4), tuple(tokens))
        due, posted = time.monotonic(), 0
        with httpx.Client(base_url=url, timeout=30) as client:
            while count is None or posted < count:
                institution, item = feed.next(timezone.localtime())
                self._post(client, tokens[institution], item)
                posted += 1
                if posted % TOLD_EVERY == 0:
                    self.say(_("%(n)d events posted") % {"n": posted})
                due = max(due + 1 / rate, time.monotonic() - 1)  # what was missed while the site was away stays missed
                time.sleep(max(0.0, due - time.monotonic()))

    def _post(self, client, token, item):
        """Until the site has taken it: an answer that got lost is asked for again under the same key."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{item['external_id']}.{item['version']}"}
        for attempt in range(1_000_000):
            try:
                answer = client.post(PATH, json=item, headers=headers)
            except httpx.TransportError as error:
                self.say(_("The site does not answer: %(error)s") % {"error": error})
                time.sleep(min(LONGEST_PAUSE, 0.5 * 2 ** min(attempt, 6)))
                continue
            if answer.status_code in (401, 403):
                raise CommandError(_("The site refuses the token: %(answer)s") % {"answer": answer.text[:300]})
            if answer.status_code == 429 or answer.status_code >= 500:
                time.sleep(min(LONGEST_PAUSE, float(answer.headers.get("Retry-After", 5))))
                continue
            if answer.status_code != 200 or answer.json()["refused"]:
                self.say(f"{item['external_id']}: {answer.status_code} {answer.text[:500]}")
            return

    def say(self, line):
        self.stdout.write(line)
        self.stdout.flush()


def _tokens(given):
    """Tokens by institution, from the files named, or from those of the demo."""
    if given:
        files = dict(one.partition("=")[::2] for one in given)
    else:
        files = {path.stem: path for path in sorted((engines.var_dir() / "run" / "feeds").glob("*.token"))}
    try:
        tokens = {code: Path(file).read_text().strip() for code, file in files.items()}
    except OSError as error:
        raise CommandError(str(error)) from None
    if not tokens:
        raise CommandError(_("There is no token: --token CODE=FILE names one."))
    return tokens
