"""GET /api/v1/incidents: who reads which events, what is asked for, what is told of one and of its past."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.incidents.feed.conftest import item
from units import actions, tokens
from units.models import User
from units.permissions import Role

pytestmark = pytest.mark.django_db
URL = "/api/v1/incidents"


@pytest.fixture
def reader(country):
    """`reader(role, place)`: a client with the token of an account of the police."""

    def client_of(role=Role.ANALYST, place="EC", username=""):
        account = User.objects.create(username=username or f"{role}.{place}", institution=country.police)
        actions.grant_role(by=None, user=account, role=role, unit=country.units[place])
        now = timezone.now()
        _, plain = tokens.issue(by=None, account=account, name="t", expires_at=now + timedelta(days=1), now=now)
        return Client(headers={"Authorization": f"Bearer {plain}", "Accept-Language": "en"})

    return client_of


@pytest.fixture
def events(country, send):
    """Of the police A to D, of the Ministry M."""
    send(
        item("A", occurred_on="2024-11-01", variables={"weapon": "ARMA DE FUEGO"}),
        item("B", occurred_on="2024-11-02", place="09D02C01S01", victims=[{"sex": "MUJER", "age": 17, "gender": "X"}]),
        item("C", occurred_on="2024-11-03", category="ROBBERY", victims=None, channel="video"),
        item("D", occurred_on="2024-10-31", place="09D01C02S01", victims=[{"sex": "MUJER", "age": 60}]),
    )
    made = send(
        item("M", occurred_on="2024-11-04", victims=[{"sex": "MUJER", "gender": "X"}]), institution=country.ministry
    )
    assert made.results == ["created"], made.faults


@pytest.fixture(autouse=True)
def _codes(country):
    from incidents.models import Variable, VariableCode

    for factor, key, values in (
        ("environment", "weapon", ["ARMA DE FUEGO", "ARMA BLANCA"]),
        ("victim", "sex", ["HOMBRE", "MUJER"]),
        ("victim", "gender", ["X"]),
    ):
        variable = Variable.objects.get(factor=factor, key=key)
        known = set(variable.codes.values_list("label", flat=True))
        VariableCode.objects.bulk_create(
            VariableCode(variable=variable, code=100 + n, label=label, name=label.capitalize(), name_en=label.lower())
            for n, label in enumerate(values)
            if label not in known
        )


def keys(client, **query):
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return [one["external_id"] for one in response.json()["results"]]


def test_an_account_reads_what_lies_where_it_analyses_and_nothing_else(reader, events):
    assert keys(reader()) == ["D", "A", "B", "C", "M"]
    assert keys(reader(place="09D02")) == ["B"]
    assert keys(reader(Role.INTEGRATOR)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from_day": "2024-11-02", "to_day": "2024-11-03"}, "BC"),
        ({"month": "2024-10"}, "D"),
        ({"territory": "09D01"}, "DACM"),
        ({"territory": "09D01C02"}, "D"),
        ({"territory": "NOWHERE"}, ""),
        ({"category": "HOMICIDE"}, "DABM"),
        ({"category": "ROBBERY"}, "C"),
        ({"institution": "MDI"}, "M"),
        ({"institution": "MDI,PN", "channel": "video"}, "C"),
        ({"victim.sex": "MUJER"}, "DBM"),
        ({"victim.sex": "mujer", "victim.age": "..17"}, "B"),
        ({"victim.age": "18..60"}, "DA"),
        ({"victim.age": "60"}, "D"),
        ({"environment.weapon": "ARMA DE FUEGO"}, "A"),
        ({"environment.weapon": "not_stated"}, "DBCM"),
        ({"victim.gender": "X"}, "B"),  # reserved: asked of one's own institution alone
    ],
)
def test_filters_by_period_place_kind_source_and_variables(query, found, reader, events):
    assert keys(reader(), **query) == list(found)


@pytest.mark.parametrize(
    "query",
    [{"victim.nothing": "1"}, {"victim.sex": "UNHEARD"}, {"victim.age": "old"}, {"month": "2024"}, {"channel": "x"}],
)
def test_a_question_that_makes_no_sense_is_refused(query, reader):
    response = reader().get(URL, query)
    assert (response.status_code, response.json()["rule"]) == (400, "invalid_parameter")


def test_what_is_reserved_is_told_of_ones_own_institution_alone(reader, events):
    told = {one["external_id"]: one["victims"] for one in reader().get(URL).json()["results"]}
    assert told["B"][0]["gender"] == "x"
    assert "gender" not in told["M"][0]


def test_pages_give_every_event_once(reader, events):
    client, found, address = reader(), [], f"{URL}?limit=2"
    while address:
        page = client.get(address).json()
        found += [one["external_id"] for one in page["results"]]
        address = page["next"]
    assert found == ["D", "A", "B", "C", "M"]


def test_as_a_table_the_columns_are_the_same_on_every_page(reader, events):
    client = reader()
    first = client.get(URL, {"format": "csv", "limit": 4})
    assert first["Content-Type"].startswith("text/csv")
    following = first["Link"].split(">")[0].removeprefix("<")
    second = client.get(following)
    assert "Link" not in second
    tables = [list(csv.DictReader(io.StringIO(page.content.decode()))) for page in (first, second)]
    assert [row["external_id"] for rows in tables for row in rows] == ["D", "A", "B", "C", "M"]
    assert tables[0][0].keys() == tables[1][0].keys()
    assert (tables[0][0]["victims"], tables[0][0]["victim.1.age"]) == ("1", "60.0")
    assert client.get(URL, headers={"Accept": "text/csv"})["Content-Type"].startswith("text/csv")
    assert client.get(URL, {"format": "csv", "limit": "0"}).json()["rule"] == "invalid_parameter"


def test_a_table_holds_no_formula_for_a_spreadsheet(reader, send):
    signs = ["=1+1", "+1", "-1+cmd", "@x", "＝1"]
    assert set(send(*(item(sign) for sign in signs)).results) == {"created"}
    rows = csv.DictReader(io.StringIO(reader().get(URL, {"format": "csv"}).content.decode()))
    assert sorted(row["external_id"] for row in rows) == sorted(f"'{sign}" for sign in signs)


# What an event may say ------------------------------------------------------------------------------------------------


def test_whoever_sees_a_unit_reads_what_an_event_may_say_and_sends_it_so(reader, send, count_queries):
    client = reader(Role.INTEGRATOR)
    murder = client.get("/api/v1/categories/HOMICIDE.MURDER").json()
    assert murder.items() >= {"code": "HOMICIDE.MURDER", "parent": "HOMICIDE"}.items()
    below = client.get("/api/v1/categories", {"parent": "HOMICIDE"}).json()["results"]
    assert murder in below
    with count_queries() as queries:
        told = client.get("/api/v1/variables", {"limit": 1000}).json()["results"]
    assert len([sql for sql in queries if "servicetoken" not in sql]) <= 2
    assert {one["kind"] for one in told} == {"category", "number"}
    people = {"victim": {}, "victimizer": {}, "environment": {}}
    for one in told:
        people[one["factor"]][one["key"]] = one["codes"][0]["label"] if one["codes"] else None
    said = {"victims": [people["victim"]], "victimizers": [people["victimizer"]], "variables": people["environment"]}
    assert send(item(**said)).faults == {}


def test_what_an_event_may_say_is_told_to_nobody_without_a_role(reader, country):
    client = reader(Role.VIEWER, "09D01")
    actions.revoke_role(
        by=None, user=User.objects.get(username="viewer.09D01"), role=Role.VIEWER, unit=country.units["09D01"]
    )
    for name in ("categories", "variables"):
        assert client.get(f"/api/v1/{name}").json()["results"] == []


# One event and its past -----------------------------------------------------------------------------------------------


def test_an_event_tells_what_was_said_of_it_before(reader, events, send):
    send(item("A", occurred_on="2024-11-01", category="ROBBERY", variables={"weapon": "ARMA BLANCA"}))
    send({"external_id": "A", "action": "reclassify", "category": "HOMICIDE.MURDER", "reason": "died"})
    client = reader()
    said = client.get(f"{URL}/PN/A").json()
    assert (said["category"], said["is_retracted"]) == ("HOMICIDE.MURDER", False)
    assert [(one["category"], one["fate"]) for one in said["revisions"]] == [
        ("ROBBERY", "reclassified"), ("HOMICIDE.MURDER", "changed"),
    ]  # fmt: skip
    assert said["revisions"][0]["reason"] == "died"
    assert "category" in said["revisions"][1]["changes"]
    assert said["revisions"][1]["victims"][0]["age"] == 30
    assert client.get(f"{URL}/{said['id']}").json() == said


def test_what_was_taken_back_is_told_as_it_was(reader, events, send):
    send({"external_id": "A", "action": "retract", "reason": "sent by mistake"})
    said = reader().get(f"{URL}/PN/A").json()
    assert (said["is_retracted"], said["external_id"], said["occurred_on"]) == (True, "A", "2024-11-01")
    assert said["revisions"][0]["fate"] == "retracted"
    assert "A" not in keys(reader(username="again"))


def test_an_event_elsewhere_is_not_there_and_neither_is_what_was_said_elsewhere(reader, events, send):
    district = reader(place="09D02")
    assert district.get(f"{URL}/PN/A").status_code == 404
    assert district.get(f"{URL}/PN/NONE").json()["rule"] == "not_found"
    send(item("A", occurred_on="2024-11-01", place="09D02C01S01"))
    assert district.get(f"{URL}/PN/A").json()["revisions"] == []
    send({"external_id": "A", "action": "retract", "reason": "x"})
    assert reader(place="09D01").get(f"{URL}/PN/A").status_code == 404


def test_identifiers_may_hold_slashes(reader, send):
    send(item("2024/11/7"))
    assert reader().get(f"{URL}/PN/2024/11/7").json()["external_id"] == "2024/11/7"


# How much it costs, and its shape -------------------------------------------------------------------------------------


def test_many_events_ask_as_many_questions_as_few(reader, events, count_queries):
    client, counts = reader(), []
    for address in (f"{URL}?limit=1", URL, f"{URL}?format=csv", f"{URL}/PN/A"):
        with count_queries() as queries:
            assert client.get(address).status_code == 200
        counts.append(len([sql for sql in queries if "servicetoken" not in sql]))
    assert counts[0] == counts[1] <= 9
    assert max(counts) <= 15


def test_answers_are_what_the_schema_says(reader, events):
    from incidents.api import shapes

    client = reader()
    (first, *_) = client.get(URL).json()["results"]
    assert set(first) == set(shapes.IncidentShape().fields)
    life = client.get(f"{URL}/PN/A").json()
    assert set(life) == set(shapes.IncidentLife().fields)
