"""`manage.py bench figures`: figures in bulk over REST, by columns, by rows and as CSV, beside the bare bulk action.

A body of 100,000 rows goes through the whole site in this process: token, limit, decoding, checks, what was held, the
write, the answer. The peer is `actions.record` of the same rows as arrays that are there already.
"""

import json
from datetime import timedelta

import numpy as np
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from benchmarks.refresh import SIZES, measured
from indicators import actions
from indicators.models import Indicator
from units import tokens
from units.models import Unit
from units.permissions import Role

ROWS = 100_000
AT_LEAST = 0.3  # of the bare action's rows a second


@bench("figures")
def figures(report, options):
    """New figures by each form of body, in turn with the bare action; medians of three runs."""
    with scratch_database():
        country = national.load(**(SIZES[options["size"]] | {"months": 12}))
        rows = _Rows(country)
        post = _client(country)
        report.fact("rows of a body", len(rows), "rows")
        forms = {name: _Posted(rows, post, *made) for name, made in rows.bodies().items()}
        bare, *taken = alternate(_Bare(rows), *forms.values(), measure=measured)
        for name, seconds in zip(forms, taken, strict=True):
            mine, theirs = ([len(rows) / one for one in times] for times in (seconds, bare))
            report.times(
                f"figures over REST, {name}", mine, unit="rows/s", beside="bare action", peer=theirs, at_least=AT_LEAST
            )


def _client(country):
    account = tokens.add_account(
        by=None, institution=country.institution, username="feed", name="Feed", role=Role.INTEGRATOR
    )
    now = timezone.now()
    _token, plain = tokens.issue(by=None, account=account, name="b", expires_at=now + timedelta(days=1), now=now)
    return Client(headers={"Authorization": f"Bearer {plain}"}, SERVER_NAME="localhost")


class _Rows:
    """The first rows of the country's months, as arrays, and as the texts of bodies."""

    def __init__(self, country):
        parts = [national.measurement_columns(country, month) for month in range(len(country.months))]
        self.keys = [np.concatenate([part[0][n] for part in parts])[:ROWS] for n in range(3)]
        self.numerator, self.denominator = (np.concatenate([part[n] for part in parts])[:ROWS] for n in (1, 2))

    def __len__(self):
        return len(self.numerator)

    def bodies(self):
        """{form: (content type, body)}."""
        indicators = dict(Indicator.objects.values_list("pk", "code"))
        units = dict(Unit.objects.values_list("pk", "code"))
        months = np.datetime_as_string(self.keys[0].astype("datetime64[M]")).tolist()
        columns = {
            "month": months,
            "indicator": [indicators[pk] for pk in self.keys[1].tolist()],
            "unit": [units[pk] for pk in self.keys[2].tolist()],
            "numerator": self.numerator.tolist(),
            "denominator": [None if value != value else value for value in self.denominator.tolist()],
        }
        lines = list(zip(*columns.values(), strict=True))
        rows = [dict(zip(columns, line, strict=True)) for line in lines]
        table = "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in lines)
        return {
            "by columns": ("application/json", json.dumps({"columns": columns}).encode()),
            "by rows": ("application/json", json.dumps(rows).encode()),
            "as CSV": ("text/csv", f"{','.join(columns)}\n{table}\n".encode()),
        }


class _Emptied:
    def prepare(self):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE indicators_measurement, indicators_measurementpast, indicators_stalemark")


class _Bare(_Emptied):
    def __init__(self, rows):
        self.rows = rows

    def __call__(self):
        months, indicators, units = self.rows.keys
        outcome = actions.record(
            by=None, months=months, indicators=indicators, units=units, numerators=self.rows.numerator,
            denominators=self.rows.denominator, source="bench", now=timezone.now(),
        )  # fmt: skip
        assert outcome.written.created == len(self.rows), outcome.refused[:1]


class _Posted(_Emptied):
    def __init__(self, rows, client, kind, body):
        self.rows, self.client, self.kind, self.body = rows, client, kind, body

    def __call__(self):
        answer = self.client.post("/api/v1/measurements", self.body, content_type=self.kind).json()
        assert answer["created"] == len(self.rows), str(answer)[:300]
