"""The profile of a selection: what differs is said, what does not is not, and every sentence leads to its figures."""

import html
import re
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection

from incidents.models import Category, Incident, Variable, VariableCode
from scorecard.profile import summary, tables
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.events import happened
from tests.scorecard.why.country import HERE
from tests.scorecard.why.test_why import rows_of

pytestmark = pytest.mark.django_db
PAGE = "/profile/PN-01D01/"
YEAR = "first=2023-01-01&last=2023-12-31"
GUN, KNIFE = 901, 902


@pytest.fixture(scope="module")
def standing_country(django_db_setup, django_db_blocker):
    from django.db import transaction

    from incidents.dictionary import ensure
    from tests.factories import small_country

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            country = small_country(cards=False, months=2)
            ensure()
            weapons(country)
            yield country
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


def weapons(country):
    """Guns in one district, knives in the other of its zone; the hours alike; men and women of every age alike."""
    weapon = Variable.objects.get(factor="environment", key="weapon")
    sex = Variable.objects.get(factor="victim", key="sex")
    age = Variable.objects.get(factor="victim", key="age")
    for code, name in ((GUN, "Gun"), (KNIFE, "Knife")):
        VariableCode.objects.create(variable=weapon, code=code, label=name.upper(), name=name, name_en=name)
    kind, rng = Category.objects.get(code="HOMICIDE"), np.random.default_rng(1)
    for place, share in (("01D01C01", 0.9), ("01D02C01", 0.4)):
        for n in range(120):
            at = datetime(2023, 1 + n % 12, 1 + n % 28, int(rng.integers(0, 24)), 15, tzinfo=HERE)
            pk = happened(country, kind, place, at)[0]
            codes = [0] * weapon.position + [GUN if rng.random() < share else KNIFE]
            victim = [0] * sex.position + [1 + n % 2]
            ages = [float("nan")] * age.position + [float(rng.integers(1, 80))]
            Incident.objects.filter(id=pk, occurred_on=at.date()).update(codes=codes)
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO incidents_victim (occurred_on, incident_id, ordinal, codes, numbers) "
                    "VALUES (%s, %s, 1, %s, %s)",
                    [at.date(), pk, victim, ages],
                )


@pytest.fixture
def country(standing_country, db):
    return standing_country


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


def sentences(response):
    """(anchor, text) of what the page says."""
    said = re.search(r'<ul class="says plainlist">(.*?)</ul>', response.content.decode(), re.S)[1]
    return re.findall(r'<li><a href="#([^"]*)">(.*?)</a></li>', said)


def test_it_is_for_those_who_may_analyse_there(country):
    for person, code, status in (
        ("analyst", "PN-Z1", 200), ("analyst", "PN-Z2", 404), ("viewer", "PN-Z1", 403), ("nobody", "PN-Z1", 404),
    ):  # fmt: skip
        client = signed_in(country.people[person])
        for query in ("", "?format=csv"):
            assert client.get(f"/profile/{code}/{query}").status_code == status, (person, code)


def test_what_differs_is_said_with_its_interval_and_leads_to_its_row(analyst):
    response = analyst.get(f"{PAGE}?{YEAR}")
    body = response.content.decode()
    said = sentences(response)
    assert re.search(
        r"weapon: Gun is more frequent than in the comparison, \d\.\d times as much", said[0][1] + said[1][1]
    )
    assert "the rest of Zone 1" in text_of(response)
    first = html.unescape(re.search(r"<h1><a[^>]*>(.*?)</a>", body)[1])
    assert re.search(r"Most unlike: .+?, .+? \(\d+\s% against \d+\s%\)", first)
    for anchor, _text in said:
        assert f'id="{anchor}"' in body


def test_the_first_sentence_leads_to_the_totals_that_it_says(analyst):
    response = analyst.get(f"{PAGE}?{YEAR}")
    body = response.content.decode()
    said = re.search(r'<h1><a href="#totals">(\d+) events in .*?, beside (\d+) of', body).groups()
    section = re.search(r'<section id="totals".*?</section>', body, re.S)[0]
    assert [re.findall(r">(\d+)<", row)[0] for row in section.split("<tr")[2:]] == list(said) == ["120", "120"]
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=totals"))
    assert [row["Events"] for row in rows] == list(said)


def test_a_sentence_of_two_series_leads_to_their_row(analyst, country):
    rng, kinds = np.random.default_rng(2), list(Category.objects.order_by("code")[:2])
    for month, n in enumerate(rng.integers(5, 60, 12), start=1):
        for kind in kinds:
            happened(country, kind, "01D01C01", datetime(2023, month, 9, 10, tzinfo=HERE), count=int(n))
    response = analyst.get(f"{PAGE}?{YEAR}")
    anchor, text = next(pair for pair in sentences(response) if "rise and fall together" in pair[1])
    row = re.search(rf'<tr id="{anchor}">(.*?)</tr>', response.content.decode(), re.S)[1]
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=series"))
    for told in (rows[0]["Category"], rows[0]["Rises with"], f"{float(rows[0]['Rank correlation of changes']):.2f}"):
        assert told in row
        assert told in text


def test_motive_is_crossed_with_weapon_and_with_place(analyst, country):
    at = {one.key: one.position for one in Variable.objects.filter(factor="environment", kind="category")}
    pk = happened(country, Category.objects.get(code="HOMICIDE"), "01D01C01", datetime(2023, 5, 5, 9, tzinfo=HERE))[0]
    codes = [0] * (max(at.values()) + 1)
    for key in ("presumed_motive", "place", "weapon"):
        codes[at[key]] = VariableCode.objects.filter(variable__key=key).order_by("code").first().code
    Incident.objects.filter(id=pk, occurred_on="2023-05-05").update(codes=codes)
    titles = {rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=cross{n}"))[0]["Table"].casefold() for n in range(3)}
    assert {"presumed motive by weapon", "place by weapon", "presumed motive by place"} <= titles, titles


def test_all_others_stand_in_a_column_where_there_are_others(monkeypatch):
    monkeypatch.setattr(tables, "notes", lambda found: [])
    found = SimpleNamespace(codes={}, unit=SimpleNamespace(code="PN"))
    row, column = Variable(name="a", name_en="a"), Variable(name="b", name_en="b")
    found.crossings = [(row, column, {(1, n): 10 * n for n in range(1, 7)})]
    assert [one.key for one in tables.crossings(found)[0].columns] == ["row", "c6", "c5", "c4", "c3", "c2", "c1"]
    found.crossings = [(row, column, {(1, n): 10 * n for n in range(1, 9)})]
    (table,) = tables.crossings(found)
    assert table.columns[-1].key == "others"
    assert table.rows[0][-1] == 30


def test_what_is_not_significant_is_not_said(analyst):
    response = analyst.get(f"{PAGE}?{YEAR}")
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=compared"))
    told = " ".join(text for _anchor, text in sentences(response))
    quiet = [row for row in rows if row["In words"] != "differs"]
    assert quiet
    for row in quiet:
        assert float(row["False discoveries"]) > 0.05 or float(row["95 % from"]) <= 1 <= float(row["95 % to"])
        assert f"{row['Variable']}: {row['Value of it']} " not in told
    assert "sex" not in told
    with pytest.raises(ValueError, match="not significant"):
        summary.difference(None, type("One", (), {"is_different": False}))


def test_where_nothing_differs_the_page_says_that_alone(analyst):
    body = analyst.get(f"{PAGE}?{YEAR}&variable=environment.weapon&value={KNIFE}")
    assert [text for _anchor, text in sentences(body)] == [
        "Too few events state anything for a comparison: take a longer window or a larger unit."
    ]


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_summary_is_in_the_readers_language(country, language):
    said = sentences(signed_in(country.people["analyst"], language).get(f"{PAGE}?{YEAR}"))
    assert ("más frecuente" if language == "es" else "more frequent") in said[0][1] + said[1][1]


def test_small_cells_are_told_as_few_on_the_page_and_in_files(analyst):
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=clock"))
    counts = {value for row in rows for value in list(row.values())[1:]}
    assert "<5" in counts
    assert not {"1", "2", "3", "4"} & counts
    _notes, compared = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=compared"))
    assert not {"1", "2", "3", "4"} & {row[name] for row in compared for name in ("Here", "In the comparison")}


def test_reserved_variables_are_not_there(analyst):
    _notes, rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&format=csv&table=compared"))
    assert not [row for row in rows if any(word in row["Variable"] for word in ("thnicity", "ender", "isability"))]


@pytest.mark.parametrize("table", ["compared", "totals", "clock", "pyramid", "series"])
def test_every_table_leaves_with_its_selection_written_on_it(analyst, table):
    notes, _rows = rows_of(analyst.get(f"{PAGE}?{YEAR}&category=HOMICIDE&format=csv&table={table}"))
    assert notes["Unit"].startswith("PN-01D01")
    assert notes["Window"] == "January 2023 to December 2023"
    assert "homicide" in notes["Filters"].lower()
    assert "Zone 1" in notes["Beside"]


def test_the_nation_has_nothing_above_and_stands_beside_last_year(country):
    from units.models import UnitUserObjectPermission
    from units.permissions import Role, bulk_grants

    held = [(country.people["auditor"], Role.ANALYST, country.unit("PN-EC"))]
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(held))
    body = text_of(signed_in(country.people["auditor"]).get(f"/profile/PN-EC/?{YEAR}"))
    assert (
        "240 events in National Police, January 2023 to December 2023, beside 0 of the same days a year before" in body
    )


def test_a_source_that_only_one_side_has_is_warned_of(analyst, country):
    words = "sent events to one side and none to the other"
    assert words not in text_of(analyst.get(f"{PAGE}?{YEAR}"))
    Incident.objects.filter(territory__code="01D02C01").update(source=country.institutions["EST"])
    assert words in text_of(analyst.get(f"{PAGE}?{YEAR}"))


def test_without_events_it_says_what_to_do(analyst):
    assert "Take a longer window" in text_of(analyst.get(f"{PAGE}?first=2001-01-01&last=2001-12-31"))


def test_questions_do_not_grow_with_the_events(analyst, count_queries):
    def asked(query):
        cache.clear()
        with count_queries() as queries:
            assert analyst.get(f"{PAGE}?{query}").status_code == 200
        return len(queries.page)

    few, many = asked("first=2023-01-01&last=2023-02-28"), asked(YEAR)
    assert few <= many <= 46
