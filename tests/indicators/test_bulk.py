"""Bulk writes: what was said before is kept, and no figure is lost between writers of the same one."""

import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indicators import bulk
from indicators.models import Measurement, MeasurementPast

NOW = datetime(2023, 11, 3, tzinfo=UTC)
ABOUT = {"is_provisional": True, "source": "test", "batch_id": 1, "recorded_by_id": 5, "recorded_at": NOW}


@pytest.fixture(autouse=True, params=[0, bulk.FEW], ids=["staged", "as parameters"])
def _path(request, monkeypatch):
    """Few rows and many take two paths, which must say the same."""
    monkeypatch.setattr(bulk, "FEW", request.param)


def write(rows, about=ABOUT, reason=""):
    """rows: {(month, indicator, unit): numerator, None to take back}."""
    months, indicators, units = (np.array(column) for column in zip(*rows, strict=True))
    values = np.array([np.nan if value is None else value for value in rows.values()], float)
    states = np.where(np.isnan(values), 0, 1).astype(np.int16)
    keys = (months.astype("datetime64[M]"), indicators.astype(np.int64), units.astype(np.int64))
    said = (values, np.full(len(values), np.nan), states)
    with transaction.atomic():
        return bulk.write(bulk.FIGURES, keys, said, np.isnan(values), about, reason)


def now_says():
    rows = Measurement.objects.values_list("month", "indicator_id", "unit_id", "numerator")
    return {(f"{month:%Y-%m}", indicator, unit): value for month, indicator, unit, value in rows}


@pytest.mark.django_db
def test_first_figures_are_created_without_a_past():
    counts, touched = write({("2023-10", 1, 1): 3.0, ("2023-10", 2, 1): 0.0})
    assert (counts.created, counts.changed, counts.blanked, counts.unchanged) == (2, 0, 0, 0)
    assert {(f"{month:%Y-%m}", indicator) for month, indicator in touched} == {("2023-10", 1), ("2023-10", 2)}
    assert now_says() == {("2023-10", 1, 1): 3.0, ("2023-10", 2, 1): 0.0}
    assert not MeasurementPast.objects.exists()


@pytest.mark.django_db
def test_what_changes_is_kept_and_what_does_not_is_not_touched():
    write({("2023-10", 1, unit): float(unit) for unit in range(1, 6)})
    later = {**ABOUT, "recorded_by_id": 9, "recorded_at": datetime(2023, 11, 4, tzinfo=UTC)}
    rows = {
        ("2023-10", 1, 1): 1.0,
        ("2023-10", 1, 2): 20.0,
        ("2023-10", 1, 3): None,
        ("2023-10", 1, 8): None,
        ("2023-09", 1, 7): 7.0,
    }
    counts, touched = write(rows, later, "recounted")
    assert (counts.created, counts.changed, counts.blanked, counts.unchanged) == (1, 1, 1, 2)
    assert {(f"{month:%Y-%m}", indicator) for month, indicator in touched} == {("2023-10", 1), ("2023-09", 1)}
    past = MeasurementPast.objects.order_by("unit_id").values_list(
        "unit_id", "numerator", "recorded_by_id", "recorded_at", "replaced_by_id", "replaced_at", "reason"
    )
    assert list(past) == [
        (2, 2.0, 5, NOW, 9, later["recorded_at"], "recounted"),
        (3, 3.0, 5, NOW, 9, later["recorded_at"], "recounted"),
    ]
    assert Measurement.objects.get(month="2023-10-01", indicator=1, unit=1).recorded_by_id == 5


@pytest.mark.django_db
def test_the_same_again_writes_nothing():
    rows = {("2023-10", 1, unit): float(unit) for unit in range(1, 6)}
    write(rows)
    counts, touched = write(rows)
    assert (counts.unchanged, touched) == (5, set())
    assert not MeasurementPast.objects.exists()


@pytest.mark.django_db
def test_a_year_outside_the_partitions_is_kept_too():
    write({("1985-01", 1, 1): 3.0, ("2085-01", 1, 1): 4.0})
    assert len(now_says()) == 2


@pytest.mark.django_db
def test_no_rows_are_no_write():
    empty = np.array([], np.int64)
    counts, touched = bulk.write(
        bulk.FIGURES, (empty.astype("datetime64[M]"), empty, empty), (empty, empty, empty), empty.astype(bool), ABOUT
    )
    assert (counts, touched) == (bulk.Written(), set())


KEYS = st.tuples(st.sampled_from(["2022-12", "2023-01"]), st.integers(1, 2), st.integers(1, 3))
WRITES = st.lists(
    st.dictionaries(KEYS, st.one_of(st.none(), st.integers(0, 3).map(float)), min_size=1), min_size=1, max_size=5
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WRITES)
def test_now_and_past_together_are_the_whole_life_of_every_figure(db, writes):
    with transaction.atomic():
        life, now = {}, {}
        for rows in writes:
            counts, touched = write(rows)
            changed = {key for key, value in rows.items() if now.get(key) != value}
            assert {(f"{month:%Y-%m}", indicator) for month, indicator in touched} == {key[:2] for key in changed}
            assert counts.created + counts.changed + counts.blanked == len(changed)
            for key in changed:
                if key in now:
                    life.setdefault(key, []).append(now.pop(key))
                if rows[key] is not None:
                    now[key] = rows[key]
        assert now_says() == now
        past = {}
        for row in MeasurementPast.objects.order_by("id"):
            past.setdefault((f"{row.month:%Y-%m}", row.indicator_id, row.unit_id), []).append(row.numerator)
        assert past == life
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_writers_of_one_figure_at_the_same_time_lose_none():
    """Each writes its own value ten times; afterwards every value but the last stands once in the past."""
    start, faults = threading.Barrier(4), []

    def writer(number):
        try:
            start.wait()
            for turn in range(10):
                value = float(100 * number + turn)
                write({("2023-10", 1, 1): value, ("2023-10", 2 + number % 2, 1): value})
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    past = MeasurementPast.objects.filter(indicator_id=1).values_list("numerator", flat=True)
    said = sorted([*past, now_says()["2023-10", 1, 1]])
    assert said == sorted(float(100 * number + turn) for number in range(1, 5) for turn in range(10))


def test_bulk_tables_have_no_triggers_or_foreign_keys(db):
    """Triggers do not distribute, and cost bulk speed; a key's trigger a row would too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text ~ '^indicators_(measurement|target)(_|$)'"
        )
        assert cursor.fetchone() == (0,)
