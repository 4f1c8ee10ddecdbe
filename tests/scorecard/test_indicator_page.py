"""One indicator of one unit: its sheet, trend, children, and the life of the month's figure."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime

import numpy as np
import pytest

from indicators.actions import record
from indicators.models import SheetVersion
from scorecard.models import Card
from scorecard.queries import unit_here
from tests.factories import MONTH, SHEETS
from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/units/PN-EC/indicators/PN.HOMICIDES/?month=2023-10"
LATER = datetime(2023, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def country(standing_country):
    return standing_country


def test_it_follows_the_units_permission(client, country):
    assert client.get(PAGE).status_code == 302
    assert signed_in(country.people["viewer"]).get(PAGE).status_code == 404
    assert signed_in(country.people["viewer"]).get(PAGE.replace("PN-EC", "PN-Z1")).status_code == 200


@pytest.mark.parametrize("code", ["NO.SUCH", "pn.homicides", "EST.AGREEMENTS"])
def test_an_indicator_that_is_not_the_units_is_not_there(minister, code):
    assert minister.get(f"/units/PN-EC/indicators/{code}/").status_code == 404


def test_the_answer_comes_first(minister, country):
    position = unit_here(country.people["minister"], "PN-EC", MONTH, "PN.HOMICIDES").position
    stored = Card.objects.get(unit=country.unit("PN-EC"), month=MONTH)
    said = text_of(minister.get(PAGE))
    value, target = stored.value[position], stored.target[position]
    assert f"Intentional homicides of National Police in October 2023: {value:.0f} victims" in said
    assert f"against a target of {target:.0f}. Year to date: {stored.to_date_value[position]:.0f}" in said


def test_the_whole_sheet_and_the_method_are_printed(minister):
    body = text_of(minister.get("/units/PN-EC/indicators/PN.HOMICIDERATE/?month=2023-10"))
    for words in (
        "100,000 × Víctimas / Población",
        "population of the territory in that year",
        "100 (2 - v / m)",
        "ratio of sums",
        "lower is better",
        "none, because: no earlier figures",
        "version 1, from January 2020",
        "Plan: 2023, version 3 (approved)",
    ):
        assert words.replace(": ", " ") in body.replace(" : ", " ").replace(": ", " "), words


@pytest.mark.parametrize("code", [code for code in SHEETS if code.startswith("PN.")])
@pytest.mark.parametrize("unit", ["PN-EC", "PN-01D01C01"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_indicator_has_its_page_in_both_languages(country, code, unit, language):
    client = signed_in(country.people["minister"], language)
    response = client.get(f"/units/{unit}/indicators/{code}/?month=2023-10")
    assert response.status_code == 200
    assert SHEETS[code]["name_en" if language == "en" else "name"] in text_of(response)


def trend(response):
    return json.loads(re.search(r'id="trend-data"[^>]*>(.*?)</script>', response.content.decode(), re.S)[1])


def test_the_trend_holds_target_and_the_year_before(minister, country):
    drawn = trend(minister.get(PAGE))
    assert len(drawn["x"]) == 36
    assert drawn["x"][-1] == "2023-10-01"
    series = {one["role"]: one["y"] for one in drawn["series"]}
    assert series["before"][-1] == series["actual"][-13]
    assert series["actual"][0] is None
    assert series["target"][-1] is not None


def test_a_range_is_drawn_by_its_two_ends(minister):
    drawn = trend(minister.get("/units/PN-EC/indicators/PN.RESPONSE/?month=2023-10"))
    ends = {one["role"]: one["y"][-1] for one in drawn["series"] if one["role"] in ("low", "high")}
    assert ends == {"low": 6.0, "high": 10.0}


def test_a_parents_figure_says_what_it_was_rolled_up_from(minister):
    assert re.search(r"Rolled up from \d+ of 9 figures", text_of(minister.get(PAGE)))


def test_the_life_of_a_figure_tells_what_it_said_before_who_changed_it_and_why(minister, country):
    unit, indicator = country.unit("PN-01D01C01"), country.indicators["PN.HOMICIDES"]
    for value, reason in ((31, ""), (32, "two victims died in hospital")):
        record(
            by=country.people["reporter"],
            months=np.array([MONTH], "datetime64[M]"),
            indicators=[indicator.pk],
            units=[unit.pk],
            numerators=[value],
            source="page",
            now=LATER,
            name="October",
            reason=reason,
        )
    body = text_of(minister.get(f"/units/{unit.code}/indicators/PN.HOMICIDES/?month=2023-10"))
    life = body[body.index("Life of this figure") :]
    assert life.index("32 (provisional)") < life.index("31 (provisional)")
    for words in ("Reporter Prueba", "two victims died in hospital", "batch", "October", "Its target", "target 9"):
        assert words in life


def test_cited_indicators_are_the_owners_figures(minister, country):
    body = text_of(minister.get("/units/EST-EC/indicators/PN.SOLVED/?month=2023-10"))
    assert "Cases solved of State in October 2023" in body
    assert "Answered for by National Police (PN-EC)" in body


def test_the_sheet_of_the_month_is_shown_not_todays(minister, country):
    SheetVersion.objects.filter(indicator__code="PN.SOLVED").update(valid_to=date(2023, 6, 1))
    SheetVersion.objects.create(
        indicator=country.indicators["PN.SOLVED"],
        version=2,
        valid_from=date(2023, 6, 1),
        **{**SHEETS["PN.SOLVED"], "name_en": "Cases cleared"},
    )
    address = "/units/PN-EC/indicators/PN.SOLVED/?month="
    assert "Cases solved of National Police" in text_of(minister.get(f"{address}2023-05"))
    assert "Cases cleared of National Police" in text_of(minister.get(f"{address}2023-06"))


def test_an_indicator_without_any_card_still_has_its_sheet(country):
    other = small_indicator(country)
    body = text_of(signed_in(country.people["minister"]).get(f"/units/PN-EC/indicators/{other}/"))
    assert "Nothing to draw yet" in body
    assert "Novelty" in body


def small_indicator(country):
    from indicators.models import Indicator

    made = Indicator.objects.create(code="PN.NEW", institution=country.institutions["PN"])
    SheetVersion.objects.create(
        indicator=made, version=1, valid_from=date(2023, 1, 1), **{**SHEETS["PN.PATROLS"], "name_en": "Novelty"}
    )
    return made.code


def test_the_trend_leaves_as_csv_with_its_formula(minister, country):
    response = minister.get(f"{PAGE}&format=csv")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    notes = dict(row for row in rows[: rows.index([])])
    assert notes["# Indicator"] == "PN.HOMICIDES Intentional homicides"
    assert "100 (2 - v / m)" in notes["# Attainment, %"]
    last = rows[-1]
    assert last[0] == "2023-10-01"
    position = unit_here(country.people["minister"], "PN-EC", MONTH, "PN.HOMICIDES").position
    assert float(last[1]) == Card.objects.get(unit=country.unit("PN-EC"), month=MONTH).value[position]
    assert minister.get(f"{PAGE}&format=xlsx&table=children").status_code == 200
