"""`manage.py bench pages`: the scorecard page beside an empty signed-in, permission-checked view of the same site.

Production settings, two synchronous workers, eight connections. The client is one process of its own that speaks just
enough HTTP; what it costs falls on both sides alike.
"""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from benchmarks import national, servers
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from scorecard import refresh as cards
from units import permissions
from units.models import Boundary, Unit, User

ROOT = Path(__file__).resolve().parent.parent
SECONDS, WARM = 4.0, 40
CLIENT = ROOT / "benchmarks" / "pages_client.py"
SIZES = {
    "national": {"levels": national.LEVELS, "indicators": 60},
    "small": {"levels": (1, 9, 26, 60), "indicators": 60},
}
MONTHS = {"national": (120, 12), "small": (36, 12)}
GOALS = {"page as HTML": 0.15, "page as JSON": 0.25, "map data": 0.3}


@bench("pages")
def pages(report, options):
    """Requests a second beside the empty view; the long history beside the short one; questions a page."""
    size = options["size"]
    long, short = MONTHS[size]
    with ExitStack() as stack:
        site_short = stack.enter_context(_country(size, short))
        site_long = stack.enter_context(_country(size, long))
        rates = _rates(site_long)
        for name, goal in GOALS.items():
            ours, empty = rates[name]
            report.times(name, ours, unit="requests/s", beside="empty view", peer=empty, at_least=goal)
        ours, before = alternate(
            lambda: site_long.rate("page as HTML"), lambda: site_short.rate("page as HTML"), measure=_value
        )
        ratio = median(before) / median(ours)
        report.fact(f"time of a page with {long} months beside {short}", ratio, "", at_most=1.1)
        report.fact("questions a page beside session and user", site_long.questions, "queries", at_most=2)
        report.fact("page as HTML", site_long.bytes, "bytes")


def _rates(site):
    """{name: (ours, empty)}: each address in turn with the empty view."""
    names = list(GOALS)
    works = [*(lambda name=name: site.rate(name) for name in names), lambda: site.rate("empty view")]
    *ours, empty = alternate(*works, measure=_value)
    return {name: (rates, empty) for name, rates in zip(names, ours, strict=True)}


def _value(work):
    return work()


# A country and its site ----------------------------------------------------------------------------------------------


@contextmanager
def _country(size, months):
    """A database of its own with so many months of cards, and two workers that serve it."""
    test = connection.settings_dict["TEST"]
    before = test["NAME"]
    test["NAME"] = f"bench_pages_{months}_{os.getpid()}"
    try:
        with scratch_database():
            country = national.load(**SIZES[size], months=months)
            _draw(country)
            cards.refresh(now=timezone.now(), jobs=2)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")
            site = Site(country)
            with site.serving():
                yield site
            connection.close()
    finally:
        test["NAME"] = before


def _draw(country):
    """Squares for the upper levels, so that pages draw their maps."""
    upper = np.flatnonzero(country.level <= 3)
    units = Unit.objects.in_bulk(country.unit_ids[upper].tolist())
    Boundary.objects.bulk_create(
        Boundary(
            territory_id=units[int(country.unit_ids[i])].territory_id,
            valid_from=date(2000, 1, 1),
            geometry=_blob(n),
            source="generated",
            is_schematic=True,
        )
        for n, i in enumerate(upper)
    )


def _blob(n):
    turn = np.linspace(0, 2 * np.pi, 60)
    x, y = n % 20, n // 20
    ring = np.column_stack((x + 0.45 * np.cos(turn), y + 0.45 * np.sin(turn))).round(4)
    ring[-1] = ring[0]
    return {"type": "Polygon", "coordinates": [ring.tolist()]}


class Site:
    """Two gunicorn workers on the current database, and the addresses that are measured in turn."""

    def __init__(self, country):
        month = country.months[-1].astype("datetime64[M]")
        first = [int(np.flatnonzero(country.level == level)[0]) for level in (0, 1, 2)]
        codes = [f"U{ordinal}" for ordinal in first]  # a nation, a zone, a subzone
        self.paths = {
            "page as HTML": [f"/units/{code}/?month={month}" for code in codes],
            "page as JSON": [f"/units/{code}/card.json?month={month}" for code in codes],
            "map data": [f"/units/{code}/map.json?month={month}&by=B.I7" for code in codes],
            "empty view": [f"/bench/{code}/" for code in codes],
        }
        user = User.objects.create(username="reader", language="es")
        permissions.grant(user=user, role=permissions.Role.VIEWER, unit=Unit.objects.get(code="U0"))
        self.session = _session(user)
        self.questions, self.bytes = _questions(user, self.paths["page as HTML"][0])

    @contextmanager
    def serving(self):
        with servers.site("benchmarks.pages_site:application", CACHE_URL="") as (self.port, _process):
            for name in self.paths:
                self.rate(name, requests=WARM)
            yield

    def rate(self, name, requests=None):
        """Requests a second over eight connections, by a client in a process of its own."""
        argv = [sys.executable, str(CLIENT), str(self.port), self.session, str(SECONDS), str(requests or 0)]
        done = subprocess.run([*argv, *self.paths[name]], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip()[-400:]}")
        return float(done.stdout)


def _session(user):
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return store.session_key


def _questions(user, path):
    """How many questions a warm page asks beside session and user, and how large it is."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=settings.STORAGES | plain):  # nothing is collected for this process
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answers {response.status_code}")
    own = ('"django_session"', 'FROM "units_user" WHERE')
    return sum(not any(text in query["sql"] for text in own) for query in captured), len(response.content)
