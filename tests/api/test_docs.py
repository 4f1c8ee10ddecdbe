"""The API's page: every address of the schema, to read and to try out, with nothing asked of anybody else."""

import json

import pytest
from django.test import Client

from incidents.feed import laid_out
from incidents.feed import rules as of_events
from indicators.sent import rules as of_figures
from units.models import User

DOCS = "/api/v1/docs"
pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db):
    return User.objects.create_user("reader", password="x", is_superuser=True)


@pytest.fixture
def schema(client, person):
    client.force_login(person)
    return client.get("/api/v1/schema?format=json").json()


def test_who_has_not_signed_in_is_asked_to(client):
    assert client.get(DOCS).status_code == 302


def test_an_address_that_is_not_there_points_to_the_page():
    answer = Client(headers={"Accept-Language": "en"}).get("/api/v1/nothing").json()
    assert (answer["rule"], DOCS in answer["detail"]) == ("not_found", True)


def test_the_page_lists_every_address_without_scripts(client, person, schema):
    client.force_login(person)
    words = client.get(DOCS).content.decode()
    assert all(f'<span class="code">{address}</span>' in words for address in schema["paths"])


def test_what_is_sent_and_answered_is_described_with_the_names_of_all_rules(schema):
    shapes = schema["components"]["schemas"]
    for name, rules in (
        ("IncidentsAnswer", of_events.REFUSED),
        ("FiguresAnswer", of_figures.REFUSED | of_figures.CONFLICT),
    ):
        error = shapes[name]["properties"]["items"]["items"]["properties"]["errors"]["items"]
        assert error["properties"]["rule"]["enum"] == list(rules)
    assert {"external_id", "victims", "occurred"} <= set(shapes["IncidentItem"]["properties"])
    assert set(shapes["FigureRow"]["required"]) == {"month", "indicator", "unit"}
    (layout,) = [one for one in schema["paths"]["/api/v1/incidents"]["post"]["parameters"] if one["name"] == "layout"]
    assert layout["schema"]["enum"] == laid_out.names()


def test_examples_of_the_schema_are_what_the_decoders_read(schema):
    from incidents.feed import decode as events
    from incidents.feed.items import Item
    from indicators.sent import decode as figures

    for path, read in (("incidents", events.decode), ("measurements", figures.decode)):
        content = schema["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]
        for kind, module in (("application/json", "json"), ("application/x-ndjson", "ndjson")):
            example = content[kind]["example"]
            body = example if isinstance(example, str) else json.dumps(example)
            found = read(body.encode(), module)
            assert found.cut is None
            if path == "incidents":
                assert {type(item) for item in found.items} == {Item}
            else:
                assert (found.total > 0, found.faults) == (True, {})


def test_in_a_browser_the_addresses_are_listed_and_nothing_is_asked_elsewhere(
    page, live_server, sign_in, person, outside_requests
):
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(person)
    page.goto(f"{live_server.url}{DOCS}")
    page.wait_for_selector("#api .opblock", timeout=20_000)
    assert page.locator("#api .opblock").count() == page.locator("#operations tbody tr").count()
    page.locator("#api .opblock", has_text="/api/v1/institutions").first.locator("button").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").first.click()
    page.wait_for_selector("#api .responses-table.live-responses-table", timeout=20_000)
    assert (
        page.locator("#api .live-responses-table tr.response td.response-col_status")
        .first.inner_text()
        .startswith("200")
    )
    assert outside_requests == []
    assert said == []
