"""What a worker keeps between drains never makes a card other than a refresh from scratch makes it."""

import json

import numpy as np
import psycopg
import pytest
from django.db import connection, transaction

from indicators.models import Measurement, StaleMark
from scorecard import refresh as cards
from scorecard.audit import Audit
from scorecard.models import Card
from scorecard.refresh import announce, kept
from tests.scorecard.random_country import LAST, NOW, RandomCountry
from units.models import Population


def drain_all():
    while StaleMark.objects.exists():
        cards.drain(now=NOW)


def assert_as_from_scratch(done=None):
    assert [str(difference) for difference in Audit(now=NOW).differences()] == [], done
    assert cards.refresh(now=NOW).written == 0, done


@pytest.fixture
def worker(monkeypatch):
    """`worker(name)`: what is drained next is drained by that worker, with what it has kept."""
    held = {}

    def become(name):
        if not hasattr(cards._OF_THREAD, "sources"):
            cards._kept_sources()
        monkeypatch.setattr(cards._OF_THREAD, "sources", held.setdefault(name, cards.Sources()))

    become("a")
    return become


def one_small_change(country):
    """A figure, a target or an approval of one of the last months."""
    month = [country.one(country.months()[-3:])]
    kinds = {
        "figure": lambda: country._figures(month, 0.02, blank=0.2),
        "target": lambda: country._targets(month, 0.02),
        "approval": lambda: country._approve(month),
    }
    name = country.one(["figure", "figure", "figure", "target", "approval"])
    kinds[name]()
    return name


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_small_changes_drained_by_two_workers_in_turn(worker, seed):
    country, done = RandomCountry(seed), []
    cards.refresh(now=NOW)
    StaleMark.objects.all().delete()
    for _ in range(30):
        worker(country.one("aaab"))
        done.append(one_small_change(country))
        if country.chance(0.1):
            done.append(country.change())
        if country.chance(0.8):
            drain_all()
    drain_all()
    assert_as_from_scratch(done)


@pytest.mark.django_db
def test_with_nothing_kept_the_cards_are_the_same(worker, monkeypatch):
    monkeypatch.setattr(kept, "BYTES", 0)
    country = RandomCountry(2)
    cards.refresh(now=NOW)
    for _ in range(8):
        one_small_change(country)
        drain_all()
    assert_as_from_scratch()


class _Killed(Exception):  # noqa: N818 - it stands for a worker's end
    pass


def _drain_and_die():
    with transaction.atomic():
        drain_all()
        raise _Killed


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(2))
def test_a_drain_that_comes_to_nothing_leaves_nothing_behind(worker, seed):
    country = RandomCountry(seed)
    cards.refresh(now=NOW)
    StaleMark.objects.all().delete()
    for _ in range(6):
        one_small_change(country)
        drain_all()
        one_small_change(country)
        with pytest.raises(_Killed):
            _drain_and_die()
        if country.chance(0.5):
            drain_all()
    drain_all()
    assert_as_from_scratch()


@pytest.mark.django_db
def test_a_population_that_is_corrected_is_seen_by_the_next_drain(worker):
    country = RandomCountry(4)
    cards.refresh(now=NOW)
    StaleMark.objects.all().delete()
    rate = country.indicators["PN.RATE"]
    figure = Measurement.objects.filter(indicator=rate, month=LAST).first()
    for people in (1_000, 2_000):
        Population.objects.filter(year=2023).update(people=people)
        StaleMark.objects.create(
            month=figure.month.replace(month=1), institution=rate.institution, indicator=rate, marked_at=NOW
        )
        drain_all()
        assert_as_from_scratch(people)


@pytest.mark.django_db
def test_a_small_drain_asks_little(worker, count_queries):
    """The first reads what it will keep; the next reads what changed."""
    country = RandomCountry(1)
    cards.refresh(now=NOW)
    StaleMark.objects.all().delete()
    figure = Measurement.objects.filter(indicator=country.indicators["PN.COUNT"], month=LAST, state=1).first()
    asked = []
    for value in (41, 42, 43):
        Measurement.objects.filter(indicator=figure.indicator, month=LAST, unit=figure.unit).update(numerator=value)
        StaleMark.objects.create(month=LAST, institution=figure.indicator.institution, indicator=figure.indicator,
                                 marked_at=NOW)  # fmt: skip
        with count_queries() as queries:
            assert cards.drain(now=NOW)[1].written
        asked.append(len(queries))
    assert asked[0] > asked[1] == asked[2]
    assert_as_from_scratch()


# Who listens is told


@pytest.fixture
def heard(transactional_db):
    """`heard()`: the messages that came since."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], password=settings["PASSWORD"],
        dbname=settings["NAME"], autocommit=True,
    ) as listener:  # fmt: skip
        listener.execute(f"LISTEN {announce.CHANNEL}")

        def read():
            listener.execute("SELECT 1")
            return [json.loads(message.payload) for message in listener.notifies(timeout=0)]

        yield read


def test_changed_cards_are_told_when_they_are_committed(heard):
    country = RandomCountry(1)
    cards.refresh(now=NOW)
    drain_all()
    heard()
    before = dict(Card.objects.values_list("unit_id", "digest").filter(month=LAST))
    figure = Measurement.objects.filter(indicator=country.indicators["PN.COUNT"], month=LAST, state=1).first()
    Measurement.objects.filter(indicator=figure.indicator, month=LAST, unit=figure.unit).update(numerator=400)
    StaleMark.objects.create(
        month=LAST, institution=figure.indicator.institution, indicator=figure.indicator, marked_at=NOW
    )
    with transaction.atomic():
        cards.drain(now=NOW)
        assert heard() == []
    after = dict(Card.objects.values_list("unit_id", "digest").filter(month=LAST))
    told = heard()
    assert {message["m"] for message in told} == {f"{LAST:%Y-%m}"}
    assert {unit for message in told for unit in message["u"]} == {u for u in after if after[u] != before[u]} != set()


def test_many_cards_are_told_in_messages_that_fit_and_more_without_names(heard):
    months = np.array(["2023-05"], "datetime64[M]")
    announce.announce(np.repeat(months, 2_000), np.arange(2_000) + 2_000_000_000)
    told = heard()
    assert [len(message["u"]) for message in told] == [700, 700, 600]
    assert sorted(unit for message in told for unit in message["u"]) == list(range(2_000_000_000, 2_000_002_000))
    announce.announce(np.repeat(months, announce.MOST + 1), np.arange(announce.MOST + 1))
    assert heard() == [{"m": None}]
