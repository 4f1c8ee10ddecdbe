"""The incidents of a unit one by one: filters in the address, pages, files, and the life of one."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from incidents.models import Category, Incident, IncidentPast
from tests.factories import NOW
from tests.scorecard.country import signed_in, text_of
from tests.scorecard.events import happened
from tests.scorecard.why.country import HERE
from tests.scorecard.why.test_why import rows_of

pytestmark = pytest.mark.django_db
PAGE = "/incidents/PN-01D01/"
YEAR = "first=2023-01-01&last=2023-10-31"


@pytest.fixture
def analyst(country):
    return signed_in(country.people["analyst"])


def listed(client, query, page=PAGE):
    response = client.get(f"{page}?{query}&format=csv")
    assert response.status_code == 200
    return rows_of(response)


def test_it_is_for_those_who_may_analyse_there(country):
    for person, code, status in (
        ("analyst", "PN-Z1", 200), ("analyst", "PN-Z2", 404), ("viewer", "PN-Z1", 403), ("nobody", "PN-Z1", 404),
    ):  # fmt: skip
        client = signed_in(country.people[person])
        for query in ("", "?format=xlsx"):
            assert client.get(f"/incidents/{code}/{query}").status_code == status, (person, code)


def test_filters_are_in_the_address_and_written_on_the_file(analyst, country):
    fire = Category.objects.create(code="T.FIRE", name="Incendio", name_en="Fire")
    happened(country, fire, "01D01C01", datetime(2023, 6, 4, 23, 30, tzinfo=HERE), count=2)
    notes, rows = listed(analyst, f"{YEAR}&category=T.FIRE&from_hour=22&to_hour=2&day=7")
    assert notes["Filters"] == "Fire; from 22:00 to 02:00; Sunday"
    assert notes["Unit"].startswith("PN-01D01")
    assert [row["Category"] for row in rows] == ["Fire", "Fire"]
    assert listed(analyst, f"{YEAR}&category=T.FIRE&from_hour=2&to_hour=20")[1] == []
    assert listed(analyst, f"{YEAR}&category=T.FIRE&indicator=PN.HOMICIDES")[1] == []


def test_an_indicators_list_holds_what_its_rule_counts_month_by_month(analyst, country):
    _notes, rows = listed(analyst, f"{YEAR}&indicator=PN.HOMICIDES")
    held = Incident.objects.filter(
        occurred_on__gte="2023-01-01", occurred_on__lte="2023-10-31", territory__code__startswith="01D01"
    )
    assert len(rows) == held.count() > 50


def test_a_list_without_days_ends_with_the_latest_event_and_leads_on_with_its_own_days(analyst, country):
    fire = Category.objects.create(code="T.FIRE", name="Incendio", name_en="Fire")
    happened(country, fire, "01D01C01", datetime(2023, 11, 9, 12, tzinfo=HERE))
    body = analyst.get(PAGE).content.decode()
    assert "Fire" in text_of(analyst.get(PAGE))
    assert re.search(r'href="/hotspots/PN-01D01/\?first=2022-12-01&amp;last=2023-11-09', body), body


def test_pages_hold_fifty_and_lead_on(analyst):
    first = analyst.get(f"{PAGE}?{YEAR}")
    second = analyst.get(f"{PAGE}?{YEAR}&page=2")
    ids = [set(re.findall(r'href="/incidents/PN-01D01/(\d+)/"', page.content.decode())) for page in (first, second)]
    assert len(ids[0]) == 50
    assert ids[1]
    assert not ids[0] & ids[1]
    assert 'rel="next"' in first.content.decode()


def test_without_events_it_says_what_to_do(analyst):
    assert "Take a longer window" in text_of(analyst.get(f"{PAGE}?first=2001-01-01&last=2001-12-31"))


@pytest.mark.parametrize(
    "query", ["first=x", "category=NO", "indicator=NO", "variable=victim.gender&value=1", "from_hour=99"]
)
def test_nonsense_is_refused(analyst, query):
    assert analyst.get(f"{PAGE}?{query}").status_code == 400


def test_a_row_leads_to_the_life_of_the_incident(analyst, country):
    kind = Category.objects.get(code="HOMICIDE")
    pk = happened(country, kind, "01D01C01", datetime(2023, 10, 7, 22, 30, tzinfo=HERE))[0]
    assert f"/incidents/PN-01D01/{pk}/" in analyst.get(f"{PAGE}?first=2023-10-07&last=2023-10-07").content.decode()
    body = text_of(analyst.get(f"/incidents/PN-01D01/{pk}/"))
    assert "Nothing was ever changed" in body
    one = Incident.objects.get(id=pk)
    IncidentPast.objects.create(
        incident_id=pk, occurred_on=one.occurred_on, occurred_at=one.occurred_at, time_precision=4,
        source=one.source, category=Category.objects.get(code="HOMICIDE"), territory=one.territory, place_precision=3,
        codes=[], numbers=[], fate="reclassified", changes=["category"], replaced_at=NOW,
    )  # fmt: skip
    body = text_of(analyst.get(f"/incidents/PN-01D01/{pk}/"))
    assert "reclassified" in body
    assert "Differs in: category" in body, body


def test_instants_of_an_incident_are_in_the_time_of_its_country_and_what_changed_in_words(analyst, country):
    at = datetime(2023, 10, 7, 22, 30, tzinfo=HERE)
    pk = happened(country, Category.objects.get(code="HOMICIDE"), "01D01C01", at, answered=timedelta(minutes=2))[0]
    one = Incident.objects.get(id=pk)
    IncidentPast.objects.create(
        incident_id=pk, occurred_on=one.occurred_on, occurred_at=one.occurred_at, time_precision=4,
        source=one.source, category=one.category, territory=one.territory, place_precision=3,
        codes=[], numbers=[], fate="changed", changes=["arrived_at", "alert_class", "victims", "where"],
        replaced_at=datetime(2023, 10, 8, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    body = text_of(analyst.get(f"/incidents/PN-01D01/{pk}/"))
    for instant in ("10/07/2023 10:30 p.m.", "10/07/2023 10:32 p.m.", "10/07/2023 8:05 p.m."):
        assert instant in body, body
    assert "Differs in: arrived, alert class, victims, place" in body, body


def test_an_incident_elsewhere_is_not_there(analyst, country):
    pk = happened(country, Category.objects.get(code="HOMICIDE"), "02D01C01", datetime(2023, 10, 7, tzinfo=HERE))[0]
    assert analyst.get(f"/incidents/PN-01D01/{pk}/").status_code == 404


def test_questions_do_not_grow_with_the_list(analyst, count_queries):
    def asked(query):
        with count_queries() as queries:
            assert analyst.get(f"{PAGE}?{query}").status_code == 200
        return len(queries.page)

    few, many = asked("first=2023-10-01&last=2023-10-05"), asked(YEAR)
    assert few == many <= 21
