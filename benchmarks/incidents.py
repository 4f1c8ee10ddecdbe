"""`manage.py bench incidents`: events over REST, in bulk and one by one, beside COPY and a bare view of the same site.

Every event has a point, five stage times, a channel, a service and 26 variables: ten of the surroundings, nine of a
victim and seven of a victimizer; four of them are numbers, the others values as a source writes them (VARIABLES). COPY
writes the very rows that the bulk made (incidents, victims, victimizers, keys) into the same indexed tables. The bare
view updates one row and answers. Both go to two synchronous workers in production settings.
"""

import io
import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.db import connection
from django.utils import timezone

from benchmarks import national, servers
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from incidents import dictionary
from incidents.models import Category, Kind, Variable
from units import permissions, tokens
from units.models import Boundary, Unit, User

POSTING = servers.ROOT / "benchmarks" / "posting.py"
PATH, BARE = "/api/v1/incidents", "/bench/update/"
SIZES = {
    "national": {"levels": national.LEVELS, "bulk": 60_000, "single": 3_000},
    "small": {"levels": (1, 9, 26, 60), "bulk": 6_000, "single": 300},
}
A_BODY = 5_000
TABLES = ("incidents_incident", "incidents_victim", "incidents_victimizer", "incidents_incidentkey")
CATEGORIES = ("ROBBERY.PERSONS", "ROBBERY.HOMES", "ROBBERY.CARS")
VARIABLES = {
    "environment": (
        "area", "place", "kind_of_place", "weapon", "weapon_type", "presumed_motive", "modality", "flagrancy",
        "lighting", "distance_to_unit",
    ),
    "victim": (
        "sex", "age", "age_unit", "ethnicity", "marital_status", "nationality", "occupation", "schooling", "relation",
    ),
    "victimizer": ("sex", "age", "nationality", "occupation", "condition", "mobility", "authors"),
}  # fmt: skip
NUMBERS = {"age": 90, "distance_to_unit": 5_000, "authors": 5}  # and below which number


@bench("incidents")
def incidents(report, options):
    """Bulk over REST beside COPY of the same rows; single events beside the bare view; in events a second."""
    size = SIZES[options["size"]]
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        source = Feed(size["levels"])
        bulk = source.write(Path(folder) / "bulk", size["bulk"], A_BODY)
        single = source.write(Path(folder) / "single", size["single"], 1)
        with servers.site("benchmarks.pages_site:application", collect=False, API_RATE="1000000000") as (port, _):
            source.port = port
            ours, copied = alternate(
                lambda: source.bulk(bulk, size["bulk"]), lambda: source.copy(size["bulk"]), measure=_value
            )
            report.times("events in bulk", ours, unit="events/s", beside="COPY", peer=copied, at_least=0.35)
            ours, bare = alternate(lambda: source.single(single), lambda: source.bare(single), measure=_value)
            report.times("single events", ours, unit="events/s", beside="bare update", peer=bare, at_least=0.4)
        report.fact("one event", len(json.dumps(source.item(0))), "bytes of JSON")
        report.fact("what an event states of its factors", sum(map(len, source.variables.values())), "variables")


def _value(work):
    return work()


class Feed:
    """An institution's service account, events of its country, and the ways in that are measured."""

    def __init__(self, levels):
        self.country = national.load(levels=levels, indicators=1, months=1)
        dictionary.ensure()
        self.rng = np.random.default_rng(7)
        self.now = timezone.now()
        self.squares = squares(self.country)
        self.authorization = authorization(self.country.institution, self.now)
        self.categories = [code for code in CATEGORIES if Category.objects.filter(code=code).exists()]
        self.variables = self._variables()
        self.runs = 0
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_row (id int PRIMARY KEY, n bigint)")
            cursor.execute("INSERT INTO bench_row SELECT n, 0 FROM generate_series(1, 1000) n")

    def _variables(self):
        """{factor: {key: values}} of what an event states: up to twenty labels of a category, or numbers."""
        found = {factor: {} for factor in VARIABLES}
        for factor, keys in VARIABLES.items():
            for key in keys:
                variable = Variable.objects.get(factor=factor, key=key)
                labels = list(variable.codes.order_by("code").values_list("label", flat=True)[:20])
                values = [n + 1 for n in range(NUMBERS[key])] if variable.kind == Kind.NUMBER else labels
                if not values:
                    raise AssertionError(f"{variable} has no values")
                found[factor][key] = values
        return found

    def item(self, n, run=0):
        """An event as an institution would send it."""
        x, y = self.squares[n % len(self.squares)]
        at = self.now - timedelta(minutes=5 + n % 40_000)
        stages = ("received_at", "answered_at", "dispatched_at", "arrived_at", "closed_at")
        said = {
            factor: {key: values[n % len(values)] for key, values in held.items()}
            for factor, held in self.variables.items()
        }
        return {
            "external_id": f"R{run}-{n}",
            "category": self.categories[n % len(self.categories)],
            "occurred": at.isoformat(),
            "longitude": x + (n % 97) / 1000,
            "latitude": y + (n % 89) / 1000,
            "channel": "phone",
            "service": "security",
            **{stage: (at + timedelta(seconds=30 * (k + 1))).isoformat() for k, stage in enumerate(stages)},
            "variables": {f"environment.{key}": value for key, value in said["environment"].items()},
            "victims": [said["victim"]],
            "victimizers": [said["victimizer"]],
        }

    def write(self, path, count, each):
        """Bodies of so many events each, newline-delimited, for every run: {run: file}."""
        files = {}
        for run in range(4):
            files[run] = Path(f"{path}-{run}")
            with files[run].open("wb") as file:
                for start in range(0, count, each):
                    items = [self.item(n, f"{path.name}{run}") for n in range(start, min(start + each, count))]
                    body = b"\n".join(json.dumps(item).encode() for item in items)
                    file.write(len(body).to_bytes(8, "big") + body)
        return files

    def bulk(self, files, count):
        """Events a second over two connections, onto empty tables. The rows are kept aside for COPY."""
        self._empty()
        self.runs += 1
        rate = self._post(PATH, 2, 0, files[(self.runs - 1) % 4]) * A_BODY
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT count(*) FROM {table}")
                if (there := cursor.fetchone()[0]) != count:
                    raise AssertionError(f"{there} rows of {count} are in {table}")
            self.rows = {table: _out(cursor, table) for table in TABLES}
        return rate

    def copy(self, count):
        """The same rows by COPY, on one connection, in one transaction."""
        self._empty()

        def work():
            from django.db import transaction

            with transaction.atomic(), connection.cursor() as cursor:
                for table, rows in self.rows.items():
                    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as into:
                        into.write(rows)

        from benchmarks.harness import seconds

        return count / seconds(work)

    def single(self, files):
        self._empty()
        self.runs += 1
        return self._post(PATH, 8, 0, files[self.runs % 4])

    def bare(self, files):
        return self._post(BARE, 8, 0, files[0])

    def _post(self, path, connections, seconds, file):
        argv = [sys.executable, str(POSTING), str(self.port), path, self.authorization, str(connections), str(seconds)]
        done = subprocess.run([*argv, str(file)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-600:])
        return float(done.stdout)

    def _empty(self):
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(TABLES)}, incidents_countmark")
            cursor.execute("CHECKPOINT")


def _out(cursor, table):
    """All rows of a table as binary COPY."""
    into = io.BytesIO()
    with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)" if "key" in table
                     else f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)") as out:  # fmt: skip
        for part in out:
            into.write(part)
    return into.getvalue()


def squares(country):
    """A boundary of a tenth of a degree for each leaf; their lower left corners (longitude, latitude)."""
    units = Unit.objects.in_bulk(country.unit_ids[country.leaves].tolist())
    corners, made = [], []
    for n, unit_id in enumerate(country.unit_ids[country.leaves].tolist()):
        x, y = -80.5 + 0.1 * (n % 50), -4.5 + 0.1 * (n // 50)
        ring = [[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y + 0.1], [x, y]]
        corners.append((x, y))
        made.append(
            Boundary(
                territory_id=units[unit_id].territory_id, valid_from="2000-01-01",
                geometry={"type": "Polygon", "coordinates": [ring]}, source="generated", is_schematic=True,
            )
        )  # fmt: skip
    Boundary.objects.bulk_create(made)
    return corners


def authorization(institution, now):
    """The header of a service account that may send this institution's events."""
    account = User.objects.create(username="feed", institution=institution)
    permissions.grant(user=account, role=permissions.Role.INTEGRATOR, unit=Unit.objects.get(code="U0"))
    _, plain = tokens.issue(by=None, account=account, name="bench", expires_at=now + timedelta(days=1), now=now)
    return f"Bearer {plain}"
