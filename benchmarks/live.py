"""`manage.py bench live`: from POST's answer to the changed light on an open page, on a country of national size.

The site (gunicorn, two workers), the process of the streams (uvicorn), one worker, PostgreSQL, Valkey and the client
share the machine's cores, as docs/operations.md has them in production. An event happens in a leaf of the tree; the
page of that unit is open, and the event that it receives carries its new light. Every unit above it changes too, and
the pages that show those are told as well. Up to a hundred events a second each is a POST of its own; of five hundred,
five come in one.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

from django.db import connection
from django.utils import timezone

from benchmarks import national, servers
from benchmarks.database import scratch_database
from benchmarks.harness import bench
from benchmarks.incidents import PATH, authorization, squares
from incidents import dictionary
from incidents.models import Category, EventRule, Measure
from scorecard import refresh
from scorecard.live import ticket
from units.models import Unit, User

CLIENT = servers.ROOT / "benchmarks" / "live_client.py"
SIZES = {
    "national": {"levels": national.LEVELS, "indicators": 60, "months": 120},
    "year": {"levels": national.LEVELS, "indicators": 60, "months": 12},
    "small": {"levels": (1, 9, 26, 600), "indicators": 60, "months": 12},
}
# (events a second, events a POST, open pages, goal of the median in ms, goal of p99 in ms)
LOADS = ((1, 1, 100, None, None), (100, 1, 100, 150, 600), (500, 5, 500, None, 1500))
SECONDS = 15
SLACK = 0.95  # of the rate that must have been kept up
RUNS = 3
IDLE, IDLE_MEGABYTES = 5_000, 100


@bench("live")
def live(report, options):
    """Latency at three loads, each three times in turn (the median of the runs), and what idle streams cost."""
    with scratch_database():
        country = Country(**SIZES[options["size"]])
        queue = {"CELERY_QUEUE": "bench-live", "API_RATE": "1000000000"}
        with (
            servers.worker(**queue),
            servers.site("scorecard.wsgi:application", **queue) as (posting, _),
            servers.site("scorecard.live.app:application", server="uvicorn", collect=False, **queue) as (port, _),
        ):
            country.port, country.posting = port, posting
            country.run(20, 1, 20, 3)  # warm
            found = {load: [] for load in LOADS}
            for _ in range(RUNS):
                for load in LOADS:
                    found[load].append(country.run(*load[:3], SECONDS))
            for (rate, _together, pages, p50, p99), runs in found.items():
                _report(report, rate, f"{rate} events/s, {pages} pages", runs, p50, p99)
        _idle(report, country)


def _report(report, rate, name, runs, p50, p99):
    for key, at_most in (("p50", p50), ("p99", p99)):
        report.fact(f"{name}: {key}", median(run[key] for run in runs), "ms", at_most=at_most)
    report.fact(f"{name}: events posted", median(run["rate"] for run in runs), "events/s", at_least=SLACK * rate)
    report.fact(f"{name}: bodies sent again", sum(run["again"] for run in runs), "bodies")
    report.fact(f"{name}: lights that never came", sum(run["missed"] for run in runs), "lights", at_most=0)


def _idle(report, country):
    """Resident memory of the process that holds the streams, alone as in production."""
    with servers.site("scorecard.live.app:application", server="uvicorn", collect=False) as (port, process):
        before = _megabytes(process.pid)
        message = country.message(port, IDLE, idle=True)
        client = subprocess.Popen(
            [sys.executable, str(CLIENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        client.stdin.write(json.dumps(message) + "\n")
        client.stdin.flush()
        there = json.loads(client.stdout.readline())["open"]
        held = _megabytes(process.pid)
        client.communicate("\n")
    report.fact("idle streams held", there, "streams", at_least=IDLE)
    report.fact("memory without streams", before, "MB")
    report.fact(f"memory with {IDLE} idle streams", held, "MB", at_most=IDLE_MEGABYTES)


def _megabytes(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


class Country:
    """A national country with cards of all months, whose first indicator counts events."""

    def __init__(self, levels, indicators, months):
        self.country = national.load(levels=levels, indicators=indicators, months=months)
        dictionary.ensure()
        self.squares = squares(self.country)
        self.now = timezone.now()
        self.category = Category.objects.filter(code__startswith="ROBBERY.").first()
        self.month = self.country.months[-1].astype("datetime64[M]").item()
        EventRule.objects.create(
            indicator_id=int(self.country.indicator_ids[0]), measure=Measure.EVENTS,
            category=self.category, from_month=self.month,
        )  # fmt: skip
        refresh.refresh(now=self.now, jobs=2)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
        self.authorization = authorization(self.country.institution, self.now)
        self.user = User.objects.create(username="reader", is_superuser=True)
        leaves = self.country.unit_ids[self.country.leaves].tolist()
        self.units = Unit.objects.in_bulk(leaves)
        self.leaves, self.sent = leaves, 0
        self.port = self.posting = 0

    def tickets(self, pages):
        """A page a leaf, spread over the country; more pages than leaves show the same ones again."""
        step = max(1, len(self.leaves) // pages)
        found = []
        for n in range(pages):
            at = n * step % len(self.leaves)
            signed = ticket.for_card(user=self.user, unit=self.units[self.leaves[at]], month=self.month)
            x, y = self.squares[at]
            found.append((self.leaves[at], signed, x + 0.05, y + 0.05))
        return found

    def message(self, port, pages, rate=1, together=1, seconds=1, idle=False):
        item = {"category": self.category.code, "occurred_on": f"{self.month:%Y-%m}-15", "occurred_at": "12:00"}
        message = {"port": port, "posting": self.posting, "authorization": self.authorization, "path": PATH,
                "tickets": self.tickets(pages), "item": item, "first": self.sent, "rate": rate, "together": together,
                "seconds": seconds, "idle": idle}  # fmt: skip
        self.sent += int(rate * seconds) + together + 1
        return message

    def run(self, rate, together, pages, seconds):
        message = json.dumps(self.message(self.port, pages, rate, together, seconds)) + "\n"
        done = subprocess.run([sys.executable, str(CLIENT)], input=message, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-3000:])
        found = json.loads(done.stdout)
        if found["errors"]:
            raise RuntimeError(found["errors"][0])
        spread = quantiles(found["latencies"], n=100, method="inclusive")
        return {
            "p50": 1000 * spread[49],
            "p99": 1000 * spread[98],
            "missed": found["missed"],
            "rate": found["rate"],
            "again": found["again"],
        }
