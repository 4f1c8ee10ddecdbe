"""Why a light is red: one sentence, parts that sum to the gap, each leading on; who may see what."""

import csv
import html
import io
import re
from datetime import date

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from incidents.models import Category, EventRule, Incident, Measure, Variable
from indicators.models import Batch
from scorecard import context
from scorecard.chance import changes_of, times
from scorecard.models import Card
from scorecard.queries import cards_of, trend_of, unit_here
from scorecard.reading import Reading
from tests.factories import MONTH
from tests.scorecard.country import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = "/why/PN-EC/PN.HOMICIDES/?month=2023-10"
WAYS = [
    f"against={against}&by={by}&span={span}"
    for against in ("target", "last-year")
    for by in ("unit", "category", "hour", "variable:victim.age", "variable:environment.weapon")
    for span in ("month", "year")
    if span == "year" or not by.startswith("variable")
]


def rows_of(response):
    """(notes by label, rows as dicts) of a CSV file."""
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    split = lines.index([])
    notes = {line[0].removeprefix("# "): line[1] for line in lines[:split]}
    return notes, [dict(zip(lines[split + 1], line, strict=True)) for line in lines[split + 2 :]]


@pytest.mark.parametrize("way", WAYS)
def test_the_parts_of_every_way_to_tell_it_sum_to_the_gap(minister, way):
    response = minister.get(f"{PAGE}&{way}&format=csv")
    assert response.status_code == 200, text_of(response)[-300:]
    notes, rows = rows_of(response)
    said = re.search(r"([\d,]+) victims (above|below).*\(([\d,]+) against ([\d,]+)\)", notes["In words"])
    gap = sum(float(row["Adds to the gap"]) for row in rows)
    actual, base = (float(said[n].replace(",", "")) for n in (3, 4))
    assert gap == pytest.approx(actual - base, abs=0.51)  # the sentence is rounded
    assert (gap > 0) == (said[2] == "above")


@pytest.mark.parametrize("code", ["PN.HOMICIDERATE", "PN.SOLVED", "PN.RESPONSE", "PN.PATROLS"])
@pytest.mark.parametrize("against", ["target", "last-year"])
def test_rates_and_means_are_told_by_level_and_weight(minister, code, against):
    page = minister.get(f"/why/PN-EC/{code}/?month=2023-10&against={against}&span=month")
    body = text_of(page)
    assert page.status_code == 200
    assert "What makes up the gap" in body
    _notes, rows = rows_of(minister.get(f"/why/PN-EC/{code}/?month=2023-10&against={against}&span=month&format=csv"))
    if code != "PN.PATROLS":
        for row in rows:
            if row["By level"]:
                whole = float(row["By level"]) + float(row["By weight"])
                adds = next(value for name, value in row.items() if name.startswith("Adds to the gap"))
                assert whole == pytest.approx(float(adds), abs=1e-9)


def test_percentages_differ_by_points_not_by_per_cent(minister):
    address = "/why/PN-EC/PN.SOLVED/?month=2023-10&against=last-year&span=month"
    body = text_of(minister.get(address))
    assert re.search(r"[\d.]+ percentage points (above|below) last year \([\d.]+ against [\d.]+\)", body)
    assert "Adds to the gap (percentage points)" in rows_of(minister.get(f"{address}&format=csv"))[1][0]
    card = text_of(minister.get("/units/PN-EC/?month=2023-10"))
    now, before = (float(said) for said in re.search(r"\(([\d.]+) against ([\d.]+)\)", body).groups())
    points = re.search(r"([+\N{MINUS SIGN}])([\d.]+) points", card).groups()
    assert float(points[1]) == pytest.approx(abs(now - before), abs=0.11)
    assert (points[0] == "+") == (now > before)


def test_the_sentence_comes_first_and_names_what_explains_most(minister):
    body = minister.get(f"{PAGE}&against=last-year").content.decode()
    said = re.search(r"<h1>(.*?)</h1>", body)[1]
    assert "Intentional homicides in National Police, January 2023 to October 2023" in said
    assert "above last year" in said
    assert "1 of 3 units is more than all of it (Zone 1)" in said
    assert "Zone 1" in said


def test_every_part_leads_to_a_narrower_reason_and_to_its_events(minister):
    body = minister.get(PAGE).content.decode()
    narrower = re.findall(r'href="(/why/PN-Z1/[^"]*)"', body)
    listed = re.findall(r'href="(/incidents/PN-Z1/[^"]*)"', body)
    assert narrower
    assert listed
    assert minister.get(narrower[0].replace("&amp;", "&")).status_code == 200
    page = minister.get(listed[0].replace("&amp;", "&"))
    _notes, rows = rows_of(minister.get(PAGE + "&format=csv"))
    zone = next(row for row in rows if row["Part"] == "Zone 1")
    assert f"{float(zone['Actual']):.0f} incidents in Zone 1" in text_of(page)


@pytest.mark.parametrize("by", ["category", "hour"])
def test_the_list_behind_a_part_holds_as_many_events_as_the_part_says(minister, by):
    body = minister.get(f"{PAGE}&by={by}&span=month").content.decode()
    _notes, rows = rows_of(minister.get(f"{PAGE}&by={by}&span=month&format=csv"))
    hrefs = re.findall(r'<td[^>]*><a href="(/incidents/[^"]*)">list', body)
    for row, href in zip(rows, hrefs, strict=False):
        _said, listed = rows_of(minister.get(href.replace("&amp;", "&") + "&format=csv"))
        assert len(listed) == float(row["Actual"]), row


@pytest.mark.parametrize(
    ("unit", "span", "says"), [("Z1", "year", "more than"), ("Z2", "month", "not distinguishable from")]
)
def test_a_gap_against_last_year_is_told_with_what_chance_may_bring(minister, unit, span, says):
    """Zone 1 has three more a circuit and month than last year's four, zone 2 as many as chance brings."""
    page = f"/why/PN-{unit}/PN.HOMICIDES/?month=2023-10&span={span}"
    body = text_of(minister.get(f"{page}&against=last-year"))
    said = re.search(
        r"\(([\d,]+) against ([\d,]+)\)\. By day ([\d.]+) times as many \([\d.]+ to [\d.]+\): (.*?) chance\.", body
    )
    now, before = (float(said[n].replace(",", "")) for n in (1, 2))
    assert float(said[3]) == pytest.approx(now / before, abs=0.006)
    assert said[4] == says
    assert "times as many" not in text_of(minister.get(page))


def test_of_what_is_in_no_unit_neither_level_nor_weight_is_told_and_columns_sum_to_their_foot(minister, country):
    place = country.indicators["PN.HOMICIDERATE"].positions.get(institution__code="PN").position
    card = Card.objects.get(unit=country.unit("PN-EC"), month=MONTH)
    card.value[place] += 1
    card.save()
    body = minister.get("/why/PN-EC/PN.HOMICIDERATE/?month=2023-10&against=last-year&span=month").content.decode()
    *parts, foot = (
        [text_in(cell).replace("\N{MINUS SIGN}", "-") for cell in cells]
        for row in re.findall(r"<tr.*?</tr>", body[body.index('id="parts"') :], re.DOTALL)
        if (cells := re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL))
    )
    assert [row[-2:] for row in parts if row[-2:].count("")] == [["", ""]]
    for column in (-2, -1):
        said = [float(row[column]) for row in parts if row[column]]
        assert sum(said) == pytest.approx(float(foot[column]), abs=0.006 * len(parts))


def text_in(cell):
    return re.sub(r"<[^>]+>", "", cell).strip()


@pytest.mark.parametrize("unit", ["PN-EC", "PN-Z1"])
@pytest.mark.parametrize(("code", "exposed"), [("PN.HOMICIDES", "day"), ("PN.HOMICIDERATE", "day and inhabitant")])
def test_a_reason_and_the_scorecard_say_the_same_of_chance(minister, country, unit, code, exposed):
    body = text_of(minister.get(f"/why/{unit}/{code}/?month=2023-10&span=month&against=last-year"))
    said = re.search(rf"By {exposed} ([\d.]+) times as many \(([\d.]+) to ([\d.]+)\): (.*?)\.", body)
    here = unit_here(country.people["minister"], unit, MONTH)
    shown = changes_of(Reading(here, cards_of(here.unit, MONTH)), timezone.localdate())[code]
    says = "more than chance" if shown.is_distinct else "not distinguishable from chance"
    assert said.groups() == (times(shown.ratio), times(shown.low), times(shown.high), says)


def test_a_rate_to_date_is_tried_by_the_events_of_its_months(minister, country):
    body = text_of(minister.get("/why/PN-Z1/PN.HOMICIDERATE/?month=2023-10&span=year&against=last-year"))
    said = float(re.search(r"By day and inhabitant ([\d.]+) times as many", body)[1])
    place = country.indicators["PN.HOMICIDERATE"].positions.get(institution__code="PN").position
    rates = trend_of(country.unit("PN-Z1"), place, MONTH, 21)
    to_date = {year: [rates[date(year, month, 1)].value for month in range(1, 11)] for year in (2022, 2023)}
    assert said == pytest.approx(sum(to_date[2023]) / sum(to_date[2022]), abs=0.006)  # as many days, as many people


@pytest.fixture
def share(country):
    """PN.SOLVED as the share of homicides with weapon 1: a third of them; of another third none is stated."""
    rule = EventRule.objects.create(
        indicator=country.indicators["PN.SOLVED"], measure=Measure.SHARE, from_month=country.months[0],
        category=Category.objects.get(code="HOMICIDE"), part=[{"field": "environment.weapon", "in": [1]}],
    )  # fmt: skip
    place = Variable.objects.get(factor="environment", key="weapon").position
    for n in (1, 2):
        Incident.objects.annotate(third=F("id") % 3).filter(third=n).update(codes=[0] * place + [n])
    return rule


@pytest.mark.parametrize("by", ["unit", "category"])
def test_behind_a_share_stand_apart_those_that_count_and_those_that_do_not(minister, share, by):
    body = minister.get(f"/why/PN-EC/PN.SOLVED/?month=2023-10&by={by}&span=month").content.decode()
    assert "Those that count</th>" in body
    assert "Those that do not</th>" in body
    lists = [html.unescape(href) for href in re.findall(r'<td[^>]*><a href="(/incidents/[^"]*)">list', body)]
    assert len(lists) >= 4
    found = []
    for inside, outside in zip(lists[0::2], lists[1::2], strict=True):
        assert (inside.removesuffix("&part=in"), inside[-8:]) == (outside.removesuffix("&part=out"), "&part=in")
        (notes, counted), (others, rest) = (rows_of(minister.get(f"{href}&format=csv")) for href in (inside, outside))
        assert notes["Counted by"].endswith("; those that count")
        assert others["Counted by"].endswith("; those that do not")
        _notes, every = rows_of(minister.get(inside.removesuffix("&part=in") + "&format=csv"))
        numbers = [{int(row["Number"]) for row in some} for some in (counted, rest, every)]
        assert numbers[0] == {number for number in numbers[2] if number % 3 == 1}
        assert numbers[1] == numbers[2] - numbers[0]
        found += numbers[:2]
    assert sum(map(bool, found)) >= 4
    assert all(found) or by == "unit"  # a unit of which nothing is due counts nothing


def test_the_list_of_a_share_keeps_its_part_and_refuses_nonsense(minister, share):
    query = "indicator=PN.SOLVED&first=2023-10-01&last=2023-10-31"
    body = minister.get(f"/incidents/PN-EC/?{query}&part=out").content.decode()
    assert re.search(r'name="part" value="out" checked', body)
    assert minister.get(f"/incidents/PN-EC/?{query}&part=half").status_code == 400
    of_a_count = f"/incidents/PN-EC/?{query.replace('SOLVED', 'HOMICIDES')}&format=csv"
    counts = [len(rows_of(minister.get(of_a_count + part))[1]) for part in ("", "&part=in", "&part=out")]
    assert counts[0] == counts[1] > counts[2] == 0


def test_a_cited_indicator_is_told_by_the_units_that_answer_for_it(minister):
    response = minister.get("/why/EST-EC/PN.SOLVED/?month=2023-10&against=last-year")
    assert response.status_code == 302
    assert response["Location"].startswith("/why/PN-EC/PN.SOLVED/?")
    assert "against=last-year" in response["Location"]


def test_units_are_for_who_sees_them_and_events_for_who_analyses(country):
    for person, code, by, status in (
        ("viewer", "PN-Z1", "unit", 200),
        ("viewer", "PN-Z1", "category", 403),
        ("viewer", "PN-Z2", "unit", 404),
        ("analyst", "PN-Z1", "category", 200),
        ("analyst", "PN-EC", "category", 404),
        ("nobody", "PN-Z1", "unit", 404),
    ):
        client = signed_in(country.people[person])
        for query in ("", "&format=csv"):
            got = client.get(f"/why/{code}/PN.HOMICIDES/?month=2023-10&by={by}{query}").status_code
            assert got == status, (person, code, by)
    assert "/incidents/" not in signed_in(country.people["viewer"]).get(PAGE.replace("PN-EC", "PN-Z1")).content.decode()


@pytest.mark.parametrize("field", ["victim.ethnicity", "victim.gender", "victim.nothing", "'; DROP"])
def test_reserved_and_unknown_variables_are_refused(minister, field):
    assert minister.get(f"{PAGE}&by=variable:{field}").status_code == 400


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/why/PN-EC/PN.HOMICIDES/?month=2022-01&against=last-year", "take the target"),
        ("/why/PN-EC/PN.PATROLS/?month=2023-10&by=hour", "told by unit alone"),
        ("/why/PN-01D01C01/PN.HOMICIDES/?month=2023-10", "no unit below"),
    ],
)
def test_without_a_gap_the_page_says_why_and_what_to_do(minister, address, words):
    assert words in text_of(minister.get(address))


def test_without_parts_there_is_no_file_but_the_reason(minister):
    response = minister.get("/why/PN-EC/PN.PATROLS/?month=2023-10&by=category&format=csv")
    assert response.status_code == 400
    assert "it can be told by unit alone" in text_of(response)


@pytest.mark.parametrize("address", [PAGE, "/units/PN-EC/indicators/PN.HOMICIDES/?month=2023-10&table=same-days"])
def test_files_of_events_say_that_they_are_simulated(minister, address):
    Batch.objects.create(kind="sample", at=timezone.now(), is_simulated=True)
    context.forget()
    notes, _rows = rows_of(minister.get(f"{address}&format=csv"))
    context.forget()
    assert "Do not cite" in notes["Simulated data"]


def test_a_light_that_is_not_green_offers_its_reason(minister):
    body = minister.get("/units/PN-EC/?month=2023-10").content.decode()
    offered = re.findall(r'href="/why/PN-EC/([^/]*)/\?month=2023-10">why', body)
    assert "PN.HOMICIDES" in offered
    page = minister.get("/units/PN-EC/indicators/PN.HOMICIDES/?month=2023-10").content.decode()
    assert 'href="/why/PN-EC/PN.HOMICIDES/?month=2023-10"' in page


def test_questions_do_not_grow_with_units_or_events(minister, count_queries):
    def asked(address):
        minister.get(address)  # what a level's dispersion is, a process asks once a day
        cache.clear()
        with count_queries() as queries:
            assert minister.get(address).status_code == 200
        return len(queries.page)

    for by, most in (("unit", 8), ("category", 24), ("hour", 22)):
        national, district = (
            asked(f"/why/{unit}/PN.HOMICIDES/?month=2023-10&against=last-year&by={by}")
            for unit in ("PN-EC", "PN-01D01")
        )
        assert national == district
        assert national <= most, (by, national)
