"""What is read over the API: of the units that the account sees, page after page, in a fixed number of questions."""

import json

import pytest

from scorecard.api import shapes
from tests.factories import MONTH
from units.permissions import Role

pytestmark = pytest.mark.django_db
AT = f"{MONTH:%Y-%m}"
LISTS = ("institutions", "units", "territories", "indicators", "plans", "targets", "measurements", "scorecards")


def rows(client, address, **query):
    response = client.get(f"/api/v1/{address}", query)
    assert response.status_code == 200, response.content
    return response.json()["results"]


def every_row(client, address, **query):
    found, after = [], f"/api/v1/{address}"
    while after:
        page = client.get(after, query).json()
        found += page["results"]
        after, query = page["next"], {}
    return found


@pytest.fixture
def nation(country, api):
    return api(Role.VIEWER, country.unit("EST-EC"), username="nation")


@pytest.fixture
def district(country, api):
    return api(Role.VIEWER, country.unit("PN-01D01"), username="district")


@pytest.fixture
def nobody(country, api):
    client = api(Role.VIEWER, country.unit("PN-01D01"), username="nobody.here")
    from units import actions

    actions.revoke_role(by=None, user=client.account, role=Role.VIEWER, unit=country.unit("PN-01D01"))
    return client


# Who sees what --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_an_account_without_a_role_sees_nothing(name, nobody):
    assert rows(nobody, name) == []


@pytest.mark.parametrize("name", ["targets", "measurements"])
def test_figures_are_of_the_units_inside_and_none_above_or_beside(name, country, district):
    units = {row["unit"] for row in every_row(district, name)}
    assert units == {"PN-01D01C01", "PN-01D01C02"}


def test_units_and_cards_are_those_inside(district):
    inside = {"PN-01D01", "PN-01D01C01", "PN-01D01C02"}
    assert {row["code"] for row in rows(district, "units")} == inside
    assert {row["unit"] for row in rows(district, "scorecards", month=AT)} == inside


def test_institutions_and_their_plans_and_indicators_are_those_of_ones_units(district, nation):
    assert [row["code"] for row in rows(district, "institutions")] == ["PN"]
    assert {row["institution"] for row in rows(district, "plans")} == {"PN"}
    assert {row["institution"] for row in rows(district, "indicators")} == {"PN"}
    assert [row["code"] for row in rows(nation, "institutions")] == ["EST", "PN"]


@pytest.mark.parametrize("place", ["units/PN-Z1", "units/PN-01D02", "scorecards/PN-Z1", "scorecards/PN-01D02/children"])
def test_above_and_beside_is_not_there(place, district):
    response = district.get(f"/api/v1/{place}")
    assert (response.status_code, response.json()["rule"]) == (404, "not_found")


def test_items_are_known_by_their_codes(nation, country):
    assert nation.get("/api/v1/units/PN-01D01").json() == {
        "code": "PN-01D01",
        "name": "Distrito 1.1",
        "name_en": "Distrito 1.1",
        "institution": "PN",
        "parent": "PN-Z1",
        "territory": "01D01",
    }
    assert nation.get("/api/v1/territories/01D01").json()["level"] == "district"
    assert nation.get("/api/v1/units/EST-EC").json()["parent"] is None
    assert nation.get("/api/v1/institutions/PN").json()["short_name"] == "Policía"
    assert nation.get("/api/v1/indicators/PN.SOLVED").json()["sheets"][0]["over_units"] == "ratio"
    plan = nation.get(f"/api/v1/plans/{country.plans['PN'].pk}").json()
    assert [line["indicator"] for one in plan["objectives"] for line in one["lines"]] == [
        "PN.HOMICIDES", "PN.HOMICIDERATE", "PN.SOLVED", "PN.RESPONSE", "PN.PATROLS",
    ]  # fmt: skip


# Pages and filters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_by_cursor_give_every_row_once_in_one_order(name, limit, nation):
    whole = every_row(nation, name, limit=1000)
    if len(whole) > 100 * limit:
        whole, paged = whole[:20], []
        after, query = f"/api/v1/{name}", {"limit": limit}
        while len(paged) < 20:
            page = nation.get(after, query).json()
            paged, after, query = paged + page["results"], page["next"], {}
        assert paged[:20] == whole
        return
    assert every_row(nation, name, limit=limit) == whole


@pytest.mark.parametrize(
    ("address", "key", "expected"),
    [
        ("units?below=PN-01D01", "code", {"PN-01D01", "PN-01D01C01", "PN-01D01C02"}),
        ("units?parent=PN-Z1", "code", {"PN-01D01", "PN-01D02"}),
        ("units?institution=EST", "code", {"EST-EC", "EST-Z1", "EST-Z2"}),
        ("units?territory=EC", "code", {"EST-EC", "PN-EC"}),
        ("units?level=1&institution=PN", "code", {"PN-Z0", "PN-Z1", "PN-Z2"}),
        ("units?level=zone&institution=PN", "code", {"PN-Z0", "PN-Z1", "PN-Z2"}),
        ("units?level=0&institution=PN", "code", {"PN-EC"}),
        ("units?below=NONE", "code", set()),
        ("territories?level=zone", "code", {"Z0", "Z1", "Z2"}),
        ("territories?parent=Z1", "code", {"01D01", "01D02"}),
        ("territories?is_delimited=false", "code", {"Z0"}),
        ("institutions?is_state=true", "code", {"EST"}),
        ("indicators?institution=EST", "code", {"EST.AGREEMENTS"}),
        ("indicators?in_month=2019-12", "code", set()),
        ("plans?year=2023", "institution", {"EST", "PN"}),
        ("plans?status=draft", "institution", set()),
        (f"measurements?month={AT}", "month", {AT}),
        ("measurements?from_month=2023-09", "month", {"2023-09", AT}),
        ("measurements?to_month=2022-09", "month", {"2022-09"}),
        ("measurements?provisional=true", "month", {AT}),
        ("measurements?indicator=PN.SOLVED,PN.PATROLS", "indicator", {"PN.SOLVED", "PN.PATROLS"}),
        ("measurements?institution=EST", "indicator", {"EST.AGREEMENTS"}),
        ("measurements?below=PN-01D02", "unit", {"PN-01D02C01", "PN-01D02C02"}),
        ("targets?unit=PN-01D02C01", "unit", {"PN-01D02C01"}),
        (f"scorecards?month={AT}&below=PN-Z2&has_red=true", "month", {AT}),
        ("scorecards?institution=EST", "unit", {"EST-EC", "EST-Z1", "EST-Z2"}),
    ],
)
def test_filters(address, key, expected, nation):
    name, _, query = address.partition("?")
    found = rows(nation, name, limit=1000, **dict(pair.split("=") for pair in query.split("&")))
    assert {row[key] for row in found} == expected


@pytest.mark.parametrize(
    "query", ["month=2023-13", "month=x", "from_month=0000-01", "provisional=\x00", "limit=1001", "indicator=\x00"]
)
def test_a_filter_that_is_none_is_refused(query, nation):
    response = nation.get("/api/v1/measurements", dict([query.split("=")]))
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("units?limit=0", "limit"),
        ("units?format=xml", "format"),
        ("incidents?format=xml", "format"),
        ("incidents?people=21", "people"),
        ("scorecards/PN-EC?month=2023", "month"),
        ("units?level=x", "level"),
        ("territories?level=4", "level"),
        ("institutions?is_state=maybe", "is_state"),
        ("territories?is_delimited=yes", "is_delimited"),
        ("measurements?provisional=2", "provisional"),
        ("scorecards?has_red=x", "has_red"),
        ("scorecards?is_provisional=null", "is_provisional"),
        ("incidents?channel=1", "channel"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(address, field, nation):
    response = nation.get(f"/api/v1/{address}")
    assert (response.status_code, response.json()["rule"]) == (400, "invalid_parameter")
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WzEsMiwzXQ", "WyJ4IiwieCIsIngiXQ", "W1tdLFtdLFtdXQ"])
def test_a_cursor_that_was_not_given_out_is_refused(cursor, nation):
    response = nation.get("/api/v1/measurements", {"cursor": cursor})
    assert (response.status_code, response.json()["rule"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_as_many_questions_for_many_rows_as_for_few(name, nation, count_queries):
    counts = []
    for limit in (1, 40):
        with count_queries() as queries:
            rows(nation, name, limit=limit)
        counts.append(len([sql for sql in queries if "units_servicetoken" not in sql]))
    assert counts[0] == counts[1] <= 4


def test_what_has_not_changed_is_not_sent_again(nation):
    for address in ("units", "measurements?limit=5", "scorecards/PN-EC", "scorecards/PN-EC/children"):
        first = nation.get(f"/api/v1/{address}")
        again = nation.get(f"/api/v1/{address}", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


# Scorecards -----------------------------------------------------------------------------------------------------------


def described(shape, data):
    """The same keys, all the way down, as the schema says."""
    fields = shape.fields if hasattr(shape, "fields") else shape.child.fields
    if hasattr(shape, "child"):
        return all(described(shape.child, one) for one in data)
    assert set(fields) == set(data)
    return all(described(field, data[name]) for name, field in fields.items() if hasattr(field, "fields"))


def test_a_card_is_what_the_page_shows_and_what_the_schema_says(nation, client, country):
    card = nation.get(f"/api/v1/scorecards/PN-EC?month={AT}").json()
    client.force_login(country.people["minister"])
    page = client.get(f"/units/PN-EC/card.json?month={AT}", headers={"Accept-Language": "en"}).json()
    page.pop("children")
    assert json.dumps(card) == json.dumps(page)
    assert described(shapes.CardShape(), card)
    assert {line["code"] for line in card["lines"]} == {
        "PN.HOMICIDES", "PN.HOMICIDERATE", "PN.SOLVED", "PN.RESPONSE", "PN.PATROLS",
    }  # fmt: skip


def test_children_in_the_light_of_the_score_and_of_an_indicator(nation):
    overall = nation.get(f"/api/v1/scorecards/PN-EC/children?month={AT}").json()
    assert described(shapes.Children(), overall)
    assert {row["unit"]["code"] for row in overall["children"]} == {"PN-Z0", "PN-Z1", "PN-Z2"}
    assert {row["value"] for row in overall["children"]} == {None}
    chosen = nation.get(f"/api/v1/scorecards/PN-EC/children?month={AT}&by=PN.HOMICIDES").json()
    assert chosen["by"] == "PN.HOMICIDES"
    assert None not in {row["value"] for row in chosen["children"]}


def test_a_card_takes_as_many_questions_for_a_large_unit_as_for_a_small(nation, count_queries):
    counts = []
    for code in ("PN-01D01C01", "PN-EC", "PN-EC"):
        with count_queries() as queries:
            assert nation.get(f"/api/v1/scorecards/{code}").status_code == 200
        counts.append(len([sql for sql in queries if "units_servicetoken" not in sql]))
    assert counts[-1] <= counts[0] <= 3


@pytest.mark.parametrize(
    ("query", "status", "rule"),
    [
        ("month=2010-01", 404, "no_results"),
        ("month=2023", 400, "invalid_parameter"),
        ("by=PN.NONE", 400, "unknown_indicator"),
    ],
)
def test_a_card_that_is_not_there_says_why(query, status, rule, nation):
    response = nation.get(f"/api/v1/scorecards/PN-EC?{query}")
    assert (response.status_code, response.json()["rule"]) == (status, rule)


# The schema -----------------------------------------------------------------------------------------------------------

# The name says it.
UNDESCRIBED = {"format", "is_state", "is_delimited", "year", "is_provisional", "has_red", "is_retired"}


def test_the_schema_is_valid_and_names_every_address(nation):
    from django.core.management import call_command
    from django.urls import get_resolver

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    schema = nation.get("/api/v1/schema?format=json").json()
    (api,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/"]
    unseen = {"api-schema", "api-missing", "api-docs"}
    addresses = {pattern.name for pattern in api.url_patterns} - unseen
    assert len(schema["paths"]) == len(addresses)
    assert "Problem" in schema["components"]["schemas"]


def test_the_schema_says_of_every_parameter_what_it_is(nation):
    schema = nation.get("/api/v1/schema?format=json", headers={"Accept-Language": "en"}).json()
    for address, operations in schema["paths"].items():
        for said in operations["get"]["parameters"] if "get" in operations else ():
            where = f"{address} {said['name']}"
            assert said["in"] == "path" or said.get("description") or said["name"] in UNDESCRIBED, where
            kinds = {"string": str, "integer": int, "boolean": bool}
            assert {type(word) for word in said["schema"].get("enum", ())} <= {kinds.get(said["schema"]["type"])}, where
    one = schema["paths"]["/api/v1/incidents/{id}"]["get"]
    assert set(one["responses"]["200"]["content"]) == {"application/json"}


def test_an_event_is_no_table(nation):
    response = nation.get("/api/v1/incidents/1", headers={"Accept": "text/csv"})
    assert (response.status_code, response.json()["rule"]) == (406, "not_acceptable")


def test_every_list_answers_a_person_who_has_signed_in(country, client):
    client.force_login(country.people["minister"])
    assert [client.get(f"/api/v1/{name}").status_code for name in LISTS] == [200] * len(LISTS)
