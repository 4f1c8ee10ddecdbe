"""The last 28 days beside those before, a control chart, and units alike: each figure equal to a plain count."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from django.db.models import Count

from incidents.dictionary import subtree
from incidents.models import Category, Incident
from scorecard.recent.reading import PERIODS, SPAN, Peer, Recent, _begun, _since
from scorecard.recent.tables import day_words, drawn, moved
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.events import happened
from tests.scorecard.hotspots.conftest import country, kinds, standing_country  # noqa: F401 - fixtures
from tests.scorecard.hotspots.test_page import rows_of
from tests.scorecard.hotspots.town import HERE
from units.models import Unit

pytestmark = pytest.mark.django_db
LAST = date(2024, 1, 8)
PAGE = f"/recent/PN-01D01/?last={LAST}"


@pytest.fixture
def analyst(country):  # noqa: F811
    return signed_in(country.people["analyst"])


@pytest.fixture
def found(country):  # noqa: F811
    return Recent(Unit.objects.get(code="PN-01D01"), LAST)


def counted(first, last, category=None):
    some = Incident.objects.filter(occurred_on__gte=first, occurred_on__lte=last)
    if category:
        some = some.filter(category_id__in=subtree(category.pk))
    return some.aggregate(n=Count("*"))["n"]


def test_every_figure_is_a_plain_count(found):
    robbery = Category.objects.get(code="T.ROBBERY.PERSON")
    assert {row.category and row.category.code for row in found.rows} >= {None, "T.ROBBERY.PERSON"}
    for row in found.rows:
        if row.category in (None, robbery):
            for n in (0, 1, 5, PERIODS - 1):
                assert row.counts[n] == counted(*found.period(n), row.category), n
            assert row.to_date == counted(date(2024, 1, 1), LAST, row.category)
            assert row.to_date_before == counted(date(2023, 1, 1), date(2023, 1, 8), row.category)
            ago = LAST - timedelta(days=364)
            assert row.year_ago == counted(ago - timedelta(days=SPAN - 1), ago, row.category)
    assert found.period(PERIODS - 1) == (LAST - timedelta(days=SPAN - 1), LAST)


def test_a_day_of_february_that_last_year_lacked(found):
    found.last = date(2024, 2, 29)
    assert found.same_day_last_year == date(2023, 2, 28)


def test_the_page_says_what_is_chance(analyst):
    body = text_of(analyst.get(PAGE))
    for words in ("28 days", "Year to date", "≈ chance", "Control chart: All events", "As a table"):
        assert words in body, words
    notes, rows = rows_of(analyst.get(f"{PAGE}&format=csv&table=compared"))
    assert notes["Unit"] == "PN-01D01"
    assert int(next(iter(rows))["28 days"]) > 0


def test_a_feed_began_where_so_long_without_any_is_no_chance():
    late = np.concatenate((np.zeros(1000, int), np.ones(100, int)))
    assert _begun(late) == 1000
    assert _begun(np.concatenate((np.zeros(9, int), np.ones(100, int)))) == 0, "nine days of one event a day"
    rare = np.zeros(1000, int)
    rare[900:1000:20] = 1
    assert _begun(rare[440:]) == 460
    assert _begun(rare[800:]) == 0, "five in a hundred days: five would be lacking"
    assert _begun(np.zeros(30, int)) == 0
    always = np.full(1100, 3)
    assert _since([(always, 0), (late, 1000)]) == 0, "3 % of the sum"
    assert _since([(always, 0), (5 * late, 1000)]) == 1000
    assert _since([]) == 0


@pytest.mark.usefixtures("english")
def test_a_sum_is_not_compared_with_days_before_a_part_of_it_was_sent(analyst, country, kinds):  # noqa: F811
    begun = date(2023, 9, 4)
    for n in range((LAST - begun).days + 1):
        happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, 9, 4, 12, tzinfo=HERE) + timedelta(n), count=9)
    found = Recent(Unit.objects.get(code="PN-01D01"), LAST)
    row = {one.category and one.category.code: one for one in found.rows}
    assert row[None].since == row["T.FIRE"].since == begun
    assert row["T.ROBBERY.PERSON"].since != begun
    short, long = found.changes
    assert not np.isnan(short.ratio[0]), "both periods are whole"
    assert short.high[0] / short.low[0] < 2, "what had not begun does not widen what is chance"
    assert np.isnan(long.ratio[0])
    assert not long.is_distinct[0]
    assert np.isnan(found.control.centre[: PERIODS - 5]).all()
    assert not (found.control.is_above | found.control.is_run).any()
    _notes, rows = rows_of(analyst.get(f"{PAGE}&format=csv&table=compared"))
    said = {one["Category"].strip(): one for one in rows}
    assert said["All events"]["Year beyond chance"] == "since 09/04/2023"
    assert said["Fire"]["last year to date"] == "", "it is not known that there were none"
    words = "Some of these events came only from Sept. 4, 2023 on: the rates are not of a whole year"
    assert words in text_of(analyst.get(PAGE))
    assert words not in text_of(analyst.get(f"{PAGE}&category=T.ROBBERY.PERSON"))
    earlier = text_of(analyst.get(f"/recent/PN-01D01/?last={date(2023, 10, 1)}"))
    assert "Those before do not compare: some came only from Sept. 4, 2023 on" in earlier


@pytest.mark.usefixtures("english")
def test_what_is_new_here_and_old_elsewhere_is_compared(analyst, country, kinds):  # noqa: F811
    for n in range(100):
        happened(country, kinds["T.FIRE"], "01D01C01", datetime(2023, 10, 1, 12, tzinfo=HERE) + timedelta(n), count=2)
    unit = Unit.objects.get(code="PN-01D01")
    row = next(one for one in Recent(unit, LAST).rows if one.category and one.category.code == "T.FIRE")
    assert row.since == date(2023, 10, 1), "nobody had any before"
    for n in range(0, 700, 3):
        happened(country, kinds["T.FIRE"], "02D01C01", datetime(2021, 10, 1, 12, tzinfo=HERE) + timedelta(n), count=2)
    found = Recent(unit, LAST)
    assert kinds["T.FIRE"].pk not in found.begun
    row = next(one for one in found.rows if one.category and one.category.code == "T.FIRE")
    assert row.since is None
    assert row.is_whole.all()


@pytest.mark.usefixtures("english")
def test_the_chart_has_a_scale_and_its_first_and_last_day(analyst, found):
    shown = drawn(found)
    (zero, least), (top, most) = shown["scale"]
    highest = max(int(found.charted.counts.max()), np.nanmax(found.control.high))
    assert (least, most) == ("0", f"{highest:.0f}")
    assert all(top <= one["y"] <= zero for one in shown["points"])
    body = analyst.get(PAGE).content.decode()
    assert f">{day_words(found.start)}</text>" in body
    assert f">{day_words(LAST)}</text>" in body


@pytest.mark.usefixtures("english")
def test_what_moved_is_named_at_the_top(found):
    for row in found.rows:
        row.counts[:] = 30
    finest = found.rows[found.finest[-1]]
    finest.counts[-1] = 90
    assert moved(found) == f"More than chance: {finest.category.local_name} (90 after 30)."
    finest.counts[-1] = 30
    del found.changes
    assert moved(found) == "No category changed by more than chance."


@pytest.mark.usefixtures("english")
def test_of_a_category_without_any_before_no_ratio_is_told(found):
    from scorecard.recent import tables

    found.rows[0] = replace(found.rows[0], to_date_before=0, to_date=500)
    row = tables.compared(found).rows[0]
    assert row[-2:] == ["–", "none before"]


def test_a_category_is_charted(analyst):
    body = text_of(analyst.get(f"{PAGE}&category=T.ROBBERY.PERSON"))
    assert "Control chart: All events" not in body
    assert re.search(r"Of persons: \d+ events in Distrito 1.1", body), "what was asked for is what is answered"
    assert "Fire: No event in Distrito 1.1" in text_of(analyst.get(f"{PAGE}&category=T.FIRE"))
    for asked in ("category=NO", "last=yesterday", "last=1950-01-01"):
        assert analyst.get(f"/recent/PN-01D01/?{asked}").status_code == 400, asked


def test_where_there_was_nothing_it_says_so(analyst):
    assert "No event in Distrito 1.1 in the 56 days until Jan. 8, 2034" in text_of(
        analyst.get("/recent/PN-01D01/?last=2034-01-08")
    )


def test_units_alike_are_those_one_may_see_and_the_rate_is_of_their_people(analyst, found):
    own = found.own
    assert own.events == counted(LAST - timedelta(days=364), LAST)
    assert own.rate == pytest.approx(1e5 * own.events / own.people)
    assert found.decile(own) == 1 + min(9, 10 * sum(p.rate < own.rate for p in found.of_level) // len(found.of_level))
    body = text_of(analyst.get(PAGE))
    assert "Units like this one" in body
    hidden = [p.unit for p in found.peers if not p.unit.code.startswith("PN-01")]
    assert hidden, "the country has districts of another zone, which this analyst may not see"
    assert not [one for one in hidden if one.local_name in body]


def test_a_small_units_decile_is_told_with_what_its_few_events_may_stand_for(analyst, found, monkeypatch):
    """Garwood's interval of ten events is 4.80 to 18.39; deciles are those of its ends among the others."""
    units = [SimpleNamespace(pk=n) for n in range(20)]
    peers = [Peer(units[n], 1000, None, n) for n in range(20)]
    monkeypatch.setattr(Recent, "of_level", peers)
    assert peers[10].rate_ends == pytest.approx((479.54, 1839.04), abs=0.01)
    assert peers[0].rate_ends[0] == 0
    assert (found.decile_ends(peers[10]), found.decile(peers[10])) == ((3, 10), 6)
    many = [Peer(units[n], 1000_000, None, 1000 * n) for n in range(20)]
    monkeypatch.setattr(Recent, "of_level", many)
    assert found.decile_ends(many[10]) == (6, 6)
    monkeypatch.undo()
    body = text_of(analyst.get(PAGE))
    assert "the exact interval is" in body
    _notes, rows = rows_of(analyst.get(f"{PAGE}&format=csv&table=peers"))
    own = next(row for row in rows if "(this unit)" in row["Unit"])
    low, high = map(float, own["95 % interval"].replace(",", "").split("–"))
    assert low < float(own["per 100,000"]) < high


def test_more_and_fewer_are_those_of_a_list(found):
    """One strong change among many rows is told; the same p of the weakest in a list of chances is not."""
    for row in found.rows:
        row.counts[:] = 30
    found.rows[-1].counts[-1] = 90
    short, _long = found.changes
    assert short.is_distinct.tolist() == [False] * (len(found.rows) - 1) + [True]


def test_questions_do_not_grow_with_the_events(analyst, count_queries):
    with count_queries() as queries:
        analyst.get(PAGE)
    assert len(queries.page) <= 20


def test_units_of_the_same_setting_come_first_and_then_the_nearest(monkeypatch):
    from scorecard.recent import reading

    people = [(1000, 2.0), (1000, 2000.0), (1000, 400.0), (900, 1500.0), (90_000, 5000.0), (1000, 1499.0)]
    units = [Peer(SimpleNamespace(pk=n), number, density, 0) for n, (number, density) in enumerate(people)]
    monkeypatch.setattr(reading, "PEERS", 2)
    other = Recent(units[1].unit, LAST)
    other.of_level, other.own = units, units[1]
    assert [one.setting for one in units] == ["rural", "city", "town", "city", "city", "town"]
    assert {one.unit.pk for one in other.peers} == {1, 3, 4}, "a town as near as can be is further than any city"
