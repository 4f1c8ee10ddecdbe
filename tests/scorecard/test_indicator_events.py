"""What an indicator's page says of the events behind it: response times by stage, with how many events state them."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from incidents.models import EventRule, Incident, Measure
from indicators.codes import Rule
from indicators.models import SheetVersion
from tests.factories import SINCE
from tests.scorecard.country import signed_in
from tests.scorecard.events import categories, happened

pytestmark = pytest.mark.django_db
CALL = datetime(2023, 10, 12, 15, 0, tzinfo=UTC)
HEADINGS = ["Stage", "Median minutes", "90th percentile minutes", "Events with both times", "Without them"]
# Minutes after the call: answered, dispatched, arrived. Of another month the last.
STATED = [(1, 3, 10), (2, 5, 20), (None, None, 30), (None, None, None)]


@pytest.fixture
def country(standing_country):
    """PN.RESPONSE is the median from the call to the arrival at fires: four of them in one circuit, one in another."""
    fire = categories()["T.FIRE"]
    indicator = standing_country.indicators["PN.RESPONSE"]
    SheetVersion.objects.filter(indicator=indicator).update(over_units=Rule.NONE, over_time=Rule.NONE)
    EventRule.objects.create(
        indicator=indicator, measure=Measure.MEDIAN, category=fire, from_month=SINCE, from_stage="received",
        to_stage="arrived",
    )  # fmt: skip
    for minutes in STATED:
        fire_in(standing_country, fire, "01D01C01", CALL, minutes)
    fire_in(standing_country, fire, "01D01C02", CALL, (None, None, 40))
    fire_in(standing_country, fire, "01D01C01", CALL - timedelta(days=30), (9, 9, 9))
    return standing_country


def fire_in(country, fire, place, call, minutes):
    (pk,) = happened(country, fire, place, call)
    stated = zip(("answered_at", "dispatched_at", "arrived_at"), minutes, strict=True)
    times = {name: call + timedelta(minutes=after) for name, after in stated if after is not None}
    Incident.objects.filter(id=pk).update(received_at=call, **times)


def table_of(country, unit, name="stages", language="en", code="PN.RESPONSE"):
    """Rows of a table of the page, their cells as text."""
    client = signed_in(country.people["minister"], language)
    response = client.get(f"/units/{unit}/indicators/{code}/?month=2023-10")
    table = re.search(rf'<(\w+)[^>]* id="{name}".*?</table>', response.content.decode(), re.S)[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.S)
    return [[words(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", one, re.S)] for one in rows]


def words(cell):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def test_each_stage_says_how_many_events_state_it_and_what_share_does_not(country):
    assert table_of(country, "PN-01D01C01") == [
        HEADINGS,
        ["from received to answered", "1.5", "1.9", "2", "50.0 %"],
        ["from answered to dispatched", "2.5", "2.9", "2", "50.0 %"],
        ["from dispatched to arrived", "11.0", "14.2", "2", "50.0 %"],
        ["from received to arrived what this indicator measures", "20.0", "28.0", "3", "25.0 %"],
    ]


def test_a_unit_above_has_the_times_of_all_events_below_it(country):
    own = table_of(country, "PN-01D01")[-1]
    assert own[1:] == ["25.0", "37.0", "4", "20.0 %"]
    assert table_of(country, "PN-EC")[1:] == table_of(country, "PN-01D01")[1:]


def test_without_an_event_nothing_is_said_but_that_there_is_none(country):
    assert table_of(country, "PN-02D01C01")[1:] == [
        ["from received to arrived what this indicator measures", "", "", "0", ""]
    ]


def test_the_same_days_name_how_many_events_state_both_times(country):
    rows = table_of(country, "PN-01D01", "same-days")[1:]
    assert [row[1:] for row in rows] == [["25.0", "4", ""], ["9.0", "1", "+178 %"], ["", "0", ""]]


def test_the_stages_are_named_in_spanish(country):
    headings, first, *_rest = table_of(country, "PN-01D01C01", language="es")
    assert headings[3:] == ["Eventos con ambas horas", "Sin ellas"]
    assert first[3:] == ["2", "50,0 %"]
    assert first[1] == "1,5"


def test_the_same_days_of_a_count_say_what_may_be_chance(standing_country):
    """Sixty events against ten a month before, and against 55 a year before."""
    fire = categories()["T.FIRE"]
    EventRule.objects.create(
        indicator=standing_country.indicators["PN.HOMICIDES"], measure=Measure.EVENTS, category=fire, from_month=SINCE
    )
    happened(standing_country, fire, "01D01C01", CALL, count=60)
    happened(standing_country, fire, "01D01C01", CALL - timedelta(days=30), count=10)
    happened(standing_country, fire, "01D01C01", CALL - timedelta(days=365), count=55)
    rows = table_of(standing_country, "PN-01D01", "same-days", code="PN.HOMICIDES")
    assert rows[0][-2:] == ["Ratio", "Beyond chance"]
    assert [row[-1] for row in rows[1:]] == ["", "more", "≈ chance"]
    assert rows[2][-2].startswith("5.81 (")  # 60 in 31 days against 10 in 30
