"""The sample country into the database, quickly: the frame first, then its years on as many processes as there are.

A year's figures, targets and cards are one transaction of their own, so that a load that was cut off goes on where it
stopped. What is simulated carries the source "simulado" and hangs on one batch that says so.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import pgtrigger
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone
from pghistory.core import event_models
from pghistory.models import Context

from incidents import counting
from indicators.models import Batch, Measurement, StaleMark
from indicators.months import add_months, month_of
from scorecard import engines, refresh
from scorecard.models import PlanLine
from scorecard.refresh.recipes import ensure_positions
from scorecard.sample import figures, happened, recent, structure, workers
from scorecard.sample.institutions import EMERGENCY, POLICE
from scorecard.sample.state import KIND, batch_of_sample
from scorecard.sample.territories import SOURCE_SIMULATED
from scorecard.sample.years import LOADED, years_to
from units.actions import recorded
from units.models import Institution
from units.pgcopy import Column, copy_in

REASON = "load_sample"
ARRAYS = ("victims", "events", "measurements", "targets")
PUBLISHED = tuple(range(2014, 2024))  # years of the Ministry's file, for which the structure alone has plans
YEARLY = ("indicators_measurement", "indicators_target")


@dataclass
class Loading:
    """How the sample is loaded. now: a time of the country; count: how many years, the running one the last of them;
    say: told each phase; password: a hash, the same for all its people."""

    now: datetime
    password: str
    count: int = LOADED
    processes: int = 2
    seed: int = 1
    say: Callable = print
    started: float = field(default_factory=perf_counter)

    @property
    def years(self):
        return years_to(self.now)[-self.count :]

    def tell(self, what, since):
        self.say(f"{perf_counter() - self.started:5.1f} s  {what} ({perf_counter() - since:.1f} s)")


def load(loading: Loading):
    """Load what is not there yet of the sample. Returns {table: rows} of the years loaded now."""
    counts = dict.fromkeys(("measurements", "targets", "cards"), 0)
    if batch := batch_of_sample():  # one that was cut off goes on as of its own time
        loading = replace(loading, now=timezone.localtime(batch.at))
    with _folder() as folder, workers.at_hand(loading.processes) as crew:
        building = crew.submit(build, folder, loading.now, loading.seed)
        if batch_of_sample() is None:
            add_frame(loading, building)
        building.result()
        batch = batch_of_sample()
        add_incidents(loading, batch, folder)
        started = perf_counter()
        jobs = [crew.submit(add_year, folder, year, batch.pk, loading.now) for year in _missing(loading, batch)]
        for job in as_completed(jobs):
            year, added = job.result()
            counts = {name: counts[name] + added[name] for name in counts}
            loading.tell(f"{year}: " + ", ".join(f"{n:,} {name}" for name, n in added.items()), started)
    batch.report = {**batch.report, "is_complete": True, "years": [min(loading.years), max(loading.years)]}
    batch.save(update_fields=["report"])
    return counts


def load_structure(*, say=print):
    """The frame alone, for figures from files: nobody can sign in yet, nothing is simulated but the names of people."""
    with unwatched(REASON):
        places = structure.add_places()
        bodies = structure.add_units(places)
        people = structure.add_people(make_password(None))
        structure.add_indicators(bodies)
        structure.add_sheets(people)
        structure.add_assignments(*structure.reporters())
        structure.add_event_rules(bodies)
        structure.add_plans(bodies, years=PUBLISHED)
    say(f"{len(bodies)} institutions, {len(places)} territories")


# Phases --------------------------------------------------------------------------------------------------------------


def build(folder, now, seed):
    """Make the arrays and leave them in a folder, where every process finds them. Returns the baselines."""
    sample = figures.build(now, seed)
    for name in ARRAYS:
        np.save(Path(folder) / f"{name}.npy", getattr(sample, name))
    return sample.baselines


def _array(folder, name):
    return np.load(Path(folder) / f"{name}.npy", mmap_mode="r")


def add_frame(loading, building):
    """Territories, units, people, sheets, assignments, plans, and the batch: one transaction."""
    started = perf_counter()
    with unwatched(REASON):
        places = structure.add_places()
        structure.add_boundaries(places)
        structure.add_population(places, years_to(loading.now))
        bodies = structure.add_units(places)
        people = structure.add_people(loading.password)
        structure.add_indicators(bodies)
        structure.add_assignments(*structure.reporters())
        structure.add_event_rules(bodies, since=recent.since(loading.now).item())
        approver = people["administrador"]
        structure.add_plans(bodies, years=loading.years, approved_by=approver, now=loading.now)
        fix_positions()
        loading.tell("places, units, people, assignments, plans", started)
        structure.add_sheets(people, building.result())
        Batch.objects.create(kind=KIND, name=SOURCE_SIMULATED, at=loading.now, is_simulated=True)
    loading.tell("frame and figures made", started)


def fix_positions():
    """Places in the cards, given before the years are computed side by side: own indicators first, then cited ones."""
    for body in Institution.objects.order_by("code"):
        own = list(body.indicators.order_by("pk").values_list("pk", flat=True))
        cited = PlanLine.objects.filter(plan__institution=body).exclude(indicator__institution=body)
        ensure_positions(body.pk, [*own, *cited.order_by("indicator_id").values_list("indicator_id", flat=True)])


def add_incidents(loading, batch, folder):
    """Victims and what feeds brought, a publication a source; and the figures that are counted from them."""
    if batch.report.get("incidents"):
        return
    started = perf_counter()
    victims, events = _array(folder, "victims"), _array(folder, "events")
    victims = victims[np.isin(years_of(victims["date"]), loading.years)]
    since = recent.since(loading.now)
    is_published = victims["date"] < since
    body = Institution.objects.in_bulk(field_name="code")
    about = {"batch": batch, "now": loading.now}
    with transaction.atomic():
        happened.publish(victims[is_published], source=body[structure.PUBLISHER], **about)
        happened.publish(victims[~is_published], source=body[POLICE], **about)
        is_emergency = events["category"] < len(recent.SERVICES)
        happened.bring(events[is_emergency], source=body[EMERGENCY], **about)
        happened.bring(events[~is_emergency], source=body[POLICE], **about)
        batch.report = {"incidents": len(victims) + len(events)}
        batch.save(update_fields=["report"])
        loading.tell(f"{len(victims) + len(events):,} incidents", started)
        add_counted(loading, since.item())
    loading.tell("figures counted from them", started)


def add_counted(loading, since):
    """The figures that event rules count from then on. Cards of all years are to come: no mark need say so."""
    end = add_months(month_of(loading.now.date()), 1)
    counting.recount(by=None, start=since, end=end, now=loading.now, name=SOURCE_SIMULATED, is_simulated=True)
    StaleMark.objects.all().delete()


def _missing(loading, batch):
    """Years that are not there yet, the last ones first: they have the most to do at the end of a load."""
    there = Measurement.objects.filter(batch_id=batch.pk)
    return [year for year in loading.years if not there.filter(month__year=year).exists()]


def add_year(folder, year, batch_id, now):
    """A year's figures, targets and cards of every institution, in one transaction. Returns (year, {table: rows})."""
    with transaction.atomic():
        start_fresh(year)
        keys = structure.keys()
        about = {"batch_id": batch_id, "recorded_at": now}
        measurements, targets = (_of_year(_array(folder, name), year) for name in ("measurements", "targets"))
        _copy("indicators_measurement", year, measurements, keys, FIGURE, {**about, "source": SOURCE_SIMULATED})
        _copy("indicators_target", year, targets, keys, PROMISE, about)
        cards = _cards(year, now)
    return year, {"measurements": len(measurements), "targets": len(targets), "cards": cards}


def start_fresh(year):
    """Where a year's partitions are empty they are made anew: what is then copied in need not be logged twice."""
    with connection.cursor() as cursor:
        for table in YEARLY:
            cursor.execute(f"LOCK TABLE {table}_{year} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table}_{year})")
            if not cursor.fetchone()[0]:
                cursor.execute(f"TRUNCATE {table}_{year}")


def _cards(year, now):
    """Cards of the year up to the running month: institutions that cite others come after those that they cite."""
    today = timezone.localtime(now).date()
    last = today.month if year == today.year else 12
    citing = refresh.citing_institutions()
    sources, written = refresh.Sources(), 0
    for body in sorted(Institution.objects.all(), key=lambda body: (body.pk in citing, body.code)):
        changed = refresh.refresh_year(sources=sources, institution_id=body.pk, year=year, first=0, last=last, now=now)
        written += changed.written
    return written


FIGURE = {"numerator": "float8", "denominator": "float8", "state": "int2", "is_provisional": "bool"}
PROMISE = {"value": "float8", "low": "float8", "high": "float8", "baseline": "float8"}
ABOUT = {"batch_id": "int4", "recorded_at": "timestamptz", "source": "text"}


def _copy(table, year, rows, keys, said, about):
    """COPY rows of a year straight into its partition, a month at a time, in the order of the key."""
    indicators, units = keys
    partition, names = f"{table}_{year}", ["month", "indicator_id", "unit_id", *said, *about]
    ends = np.searchsorted(rows["month"], np.unique(rows["month"])[1:])
    with connection.cursor() as cursor:
        for part in np.split(rows, ends):
            columns = [
                Column("date", part["month"]),
                Column("int4", indicators[part["indicator"]]),
                Column("int4", units[part["unit"]]),
                *(_said(kind, part[name]) for name, kind in said.items()),
                *(Column(ABOUT[name], value) for name, value in about.items()),
            ]
            copy_in(cursor, partition, names, columns, len(part))
        cursor.execute(f"ANALYZE {partition}")


def _said(kind, values):
    return Column(kind, values, np.isnan(values) if kind == "float8" else None)


def _of_year(rows, year):
    """Rows of a year, out of rows in order of month."""
    first, last = np.searchsorted(rows["month"], np.array([f"{year}-01-01", f"{year + 1}-01-01"], "M8[D]"))
    return rows[first:last]


def years_of(days):
    return days.astype("M8[Y]").astype(int) + 1970


@contextmanager
def _folder():
    """Where the arrays lie while they are loaded; the load after one that was killed cleans up."""
    path = engines.var_dir() / "sample"
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


# How -----------------------------------------------------------------------------------------------------------------


@contextmanager
def unwatched(reason):
    """One transaction in which the history is written set by set at the end instead of row by row: the same events."""
    with pgtrigger.ignore(), recorded(by=None, reason=reason):
        yield
        context = Context.objects.create(metadata={"user": None, "reason": reason})
        with connection.cursor() as cursor:
            for event in event_models(models=None, references_model=None):
                _write_events(cursor, event, context.pk)


def _write_events(cursor, event, context):
    names = [
        connection.ops.quote_name(one.column) for one in event._meta.concrete_fields if not one.name.startswith("pgh_")
    ]
    table, columns = event.pgh_tracked_model._meta.db_table, ", ".join(names)
    cursor.execute(
        f"INSERT INTO {event._meta.db_table} (pgh_created_at, pgh_label, pgh_obj_id, pgh_context_id, {columns}) "
        f"SELECT now(), 'insert', t.id, %s, {columns} FROM {table} t "
        f"WHERE NOT EXISTS (SELECT FROM {event._meta.db_table} e WHERE e.pgh_obj_id = t.id) ORDER BY t.id",
        [context],
    )
