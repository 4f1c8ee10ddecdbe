"""The scorecard of a unit and month says what its card says, to those who may see it, in two questions."""

import csv
import io
import json
import math

import numpy as np
import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from indicators.codes import Mark
from indicators.models import Batch
from scorecard.components import number
from scorecard.models import Card, Recipe
from scorecard.queries import cards_of, unit_here
from scorecard.reading import Reading
from tests.factories import MONTH
from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/units/PN-EC/?month=2023-10"


@pytest.fixture
def country(standing_country):
    return standing_country


def card(country, code, month=MONTH):
    return Card.objects.get(unit=country.unit(code), month=month)


def reading(country, code, by="overall", month=MONTH):
    here = unit_here(country.people["minister"], code, month, by)
    return Reading(here, cards_of(here.unit, month, here.position), by)


def position(code):
    structure = Recipe.objects.filter(institution__code="PN", structure__year=2023).latest("pk").structure
    return next(line["position"] for line in structure["lines"] if line["code"] == code)


# Who sees it


def test_signing_in_comes_first(client, country):
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize("path", ["", "card.json", "map.json"])
def test_outside_ones_tree_nothing_is_there(country, path):
    for person, code, status in (
        ("viewer", "PN-EC", 404),
        ("viewer", "PN-Z2", 404),
        ("viewer", "PN-Z1", 200),
        ("reporter", "PN-01D01C01", 200),
        ("reporter", "PN-01D01", 404),
        ("nobody", "PN-01D01C01", 404),
        ("minister", "PN-01D01C01", 200),
    ):
        assert signed_in(country.people[person]).get(f"/units/{code}/{path}").status_code == status, (person, code)


def test_units_above_that_one_may_not_see_are_named_without_a_link(country):
    body = signed_in(country.people["viewer"]).get("/units/PN-01D01/?month=2023-10").content.decode()
    assert "<li>National Police" in body
    assert 'href="/units/PN-EC/' not in body
    assert 'href="/units/PN-Z1/?month=2023-10"' in body


# What it says


def test_the_answer_comes_first(minister, country):
    said = text_of(minister.get(PAGE))
    stored = card(country, "PN-EC")
    assert f"National Police reaches {number(stored.score, 1)} of 100 in October 2023" in said
    assert "Weakest: " in said or reading(country, "PN-EC").worst.driving.band.name == "green"


def test_every_line_of_the_plan_stands_under_its_objective_with_its_figures(minister, country):
    body = text_of(minister.get(PAGE))
    page = reading(country, "PN-EC")
    at = -1
    for objective in page.objectives:
        for line in objective.lines:
            following = body.index(f"{line.about['number']} {line.name}")
            assert following > at
            at = following
            row = body[at : at + 400]
            assert number(line.month.value, line.about["decimals"]) in row
            assert number(line.to_date.value, line.about["decimals"]) in row
            assert "10 of 10 months" in row
    assert "Reduce homicides by means of patrols in hot spots" in body
    assert "2.1 Increase cases solved by means of investigation" in body


def test_the_page_speaks_the_readers_language(country):
    body = text_of(signed_in(country.people["minister"], "es").get(PAGE))
    assert "octubre de 2023" in body
    assert "Homicidios intencionales" in body
    assert "Intentional homicides" not in body


def test_a_range_is_shown_whole(minister):
    assert "6.0–10.0" in text_of(minister.get(PAGE))


def test_a_line_says_what_drives_its_light(country):
    lines = {line.about["code"]: line for line in reading(country, "PN-EC").lines}
    assert lines["PN.PATROLS"].is_by_month
    assert not lines["PN.HOMICIDES"].is_by_month
    assert lines["PN.HOMICIDES"].driving == lines["PN.HOMICIDES"].to_date


def test_a_small_target_hands_the_months_light_to_the_year(country):
    line = next(x for x in reading(country, "PN-01D01C01").lines if x.about["code"] == "PN.HOMICIDES")
    assert line.month.has(Mark.SMALL)
    assert not line.is_by_month


def test_percentages_are_not_shown_on_a_base_below_ten(country):
    page = reading(country, "PN-01D01C01", month=country.months[4])
    line = next(x for x in page.lines if x.about["code"] == "PN.HOMICIDES")
    assert line.to_date.target < 10
    assert math.isnan(line.shown_attainment)


def test_the_worst_child_is_named_and_leads_there(minister, country):
    body = minister.get(PAGE).content.decode()
    line = reading(country, "PN-EC").lines[0]
    worst = next(unit for unit in country.units.values() if unit.pk == line.worst_id)
    assert (
        f'worst: <a href="/units/{worst.code}/?month=2023-10&amp;by={line.about["code"]}">{worst.name_en}</a>' in body
    )


def test_cited_lines_name_the_owners_worst_unit(country, minister, english):
    line = next(x for x in reading(country, "EST-EC").lines if x.about["code"] == "PN.HOMICIDERATE")
    code, name, is_seen = reading(country, "EST-EC").units[line.worst_id]
    assert code.startswith("PN-")
    assert is_seen
    assert f"worst: {name}" in text_of(minister.get("/units/EST-EC/?month=2023-10"))


def test_provisional_and_approved_are_two_figures(minister, country):
    body = text_of(minister.get(PAGE))
    stored = card(country, "PN-EC")
    assert stored.is_provisional
    assert number(stored.score, 1) != number(stored.approved_score, 1)
    assert f"Approved figures only {number(stored.approved_score, 1)} of 100" in body
    assert "provisional" in body
    assert "Approved figures only" not in text_of(minister.get("/units/PN-EC/?month=2023-08"))


def test_coverage_is_reported_over_due(minister, country):
    line = next(line for line in reading(country, "PN-EC").lines if line.reported < line.due)
    assert f"{line.reported} of {line.due} figures" in minister.get(PAGE).content.decode()


def test_change_is_against_the_same_month_of_last_year(minister, country):
    at = position("PN.HOMICIDES")
    now, before = (card(country, "PN-EC", m).value[at] for m in (country.months[-1], country.months[-13]))
    assert number(100 * (now - before) / before, 0, sign=True) in text_of(minister.get(PAGE))
    assert "vs Oct 2022" in text_of(minister.get(PAGE))


def test_the_method_is_printed(minister):
    body = text_of(minister.get(PAGE))
    assert "Plan : 2023, version 3 (approved)".replace(" :", "") in body.replace(" :", "")
    for words in ("green from 95.0, amber from 85.0", "version 1", "weighted mean"):
        assert words in body


def test_simulated_figures_are_labelled_on_the_page_and_in_files(minister, country):
    assert "Simulated data" not in text_of(minister.get(PAGE))
    Batch.objects.create(kind="sample", at=timezone.now(), is_simulated=True)
    assert "Simulated data" in text_of(minister.get(PAGE))
    assert "Simulated data" in minister.get(f"{PAGE}&format=csv").content.decode()


# Going about


def test_without_a_month_the_latest_is_shown(minister):
    assert "October 2023" in text_of(minister.get("/units/PN-EC/"))


def test_months_are_stepped_and_the_choice_is_kept(minister):
    body = minister.get("/units/PN-Z1/?month=2023-09&by=PN.SOLVED").content.decode()
    assert 'rel="prev" href="/units/PN-Z1/?month=2023-08&amp;by=PN.SOLVED"' in body
    assert 'rel="next" href="/units/PN-Z1/?month=2023-10&amp;by=PN.SOLVED"' in body
    assert 'rel="next"' not in minister.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "month", ["2023", "2023-13", "2023-00", "x", "0001-01", "9999-12", "2023-10-01", "２０２３-10"]
)
def test_what_is_no_month_is_not_found(minister, month):
    for address in ("/units/PN-EC/", "/units/PN-EC/map.json", "/units/PN-EC/indicators/PN.SOLVED/"):
        assert minister.get(address, {"month": month}).status_code == 404


@pytest.mark.parametrize("by", ["NOT.ONE", "<script>", "x" * 500, "overall'--"])
def test_an_unknown_choice_is_said_and_falls_back(minister, by):
    response = minister.get("/units/PN-EC/", {"month": "2023-10", "by": by})
    assert response.status_code == 200
    assert "the map shows the overall score" in text_of(response)
    assert "<script>" not in response.content.decode().replace("<script ", "")


def test_a_month_without_cards_leads_to_the_latest(minister):
    for month in ("2019-05", "2028-01"):
        response = minister.get("/units/PN-EC/", {"month": month})
        assert response.status_code == 200
        assert "There are no results of National Police" in text_of(response)
        assert 'href="/units/PN-EC/?month=2023-10"' in response.content.decode()
        assert minister.get("/units/PN-EC/card.json", {"month": month}).status_code == 404


def test_a_year_without_a_plan_says_so(minister):
    body = text_of(minister.get("/units/PN-EC/?month=2022-12"))
    assert "No plan for 2022" in body
    assert "no plan to hold them against" in body


# As data and as files


def test_the_data_say_what_the_card_says(minister, country):
    said = minister.get("/units/PN-EC/card.json?month=2023-10").json()
    stored = card(country, "PN-EC")
    assert said["score"] == stored.score
    assert said["approved"]["score"] == stored.approved_score
    for line in said["lines"]:
        at = position(line["code"])
        assert line["month"]["value"] == stored.value[at]
        assert line["to_date"]["value"] == stored.to_date_value[at]
        assert [line["reported"], line["due"]] == [stored.reported[at], stored.due[at]]
        assert len(line["history"]) == 13
    assert [child[0] for child in said["children"]] == [c.code for c in reading(country, "PN-EC").children]


def test_missing_figures_are_null_not_zero_nor_nan(minister, country):
    stored = card(country, "PN-EC")
    values = list(stored.value)
    values[position("PN.SOLVED")] = math.nan
    Card.objects.filter(unit=stored.unit, month=MONTH).update(value=values)
    said = json.loads(minister.get("/units/PN-EC/card.json?month=2023-10").content, parse_constant=pytest.fail)
    assert next(line for line in said["lines"] if line["code"] == "PN.SOLVED")["month"]["value"] is None


@pytest.mark.parametrize("name", ["card.json", "map.json"])
def test_what_has_not_changed_is_not_sent_again(minister, country, name):
    address = f"/units/PN-EC/{name}?month=2023-10"
    etag = minister.get(address)["ETag"]
    assert minister.get(address, headers={"if-none-match": etag}).status_code == 304
    assert minister.get(f"{address}&by=PN.SOLVED")["ETag"] != etag
    Card.objects.filter(unit=country.unit("PN-Z1"), month=MONTH).update(digest=5)
    assert minister.get(address, headers={"if-none-match": etag}).status_code == 200


def test_lines_leave_whole_as_csv(minister, country):
    response = minister.get(f"{PAGE}&format=csv&table=lines")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    blank = rows.index([])
    notes = dict(row for row in rows[:blank])
    assert notes["# Unit"] == "PN-EC National Police"
    assert notes["# Month"] == "2023-10"
    assert notes["# Plan"] == "2023, version 3 (approved)"
    found = [dict(zip(rows[blank + 1], row, strict=True)) for row in rows[blank + 2 :]]
    stored = card(country, "PN-EC")
    assert len(found) == 5
    for line in found:
        at = position(line["Code"])
        assert float(line["Month: value"]) == pytest.approx(stored.value[at], rel=1e-15)
        assert float(line["Year to date: attained, %"]) == pytest.approx(stored.to_date_attainment[at], rel=1e-15)
        assert int(line["Figures due"]) == stored.due[at]


def test_children_leave_as_xlsx_by_the_chosen_indicator(minister, country):
    response = minister.get(f"{PAGE}&by=PN.SOLVED&format=xlsx&table=children")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(response.content)).get_sheet_by_index(0).to_python()
    assert ["Shown", "Cases solved"] in [row[:2] for row in rows]
    head = next(i for i, row in enumerate(rows) if row[0] == "Code")
    values = {row[0]: row[rows[head].index("Value (%)")] for row in rows[head + 1 :]}
    at = position("PN.SOLVED")
    for code, value in values.items():
        assert value == pytest.approx(card(country, code).to_date_value[at])
    assert np.all(np.diff([row[rows[head].index("Attained, %")] for row in rows[head + 1 :]]) >= 0)


def test_another_format_is_a_bad_request(minister):
    assert minister.get(f"{PAGE}&format=pdf").status_code == 400
    assert minister.get(f"{PAGE}&format=csv&table=none").status_code == 400
