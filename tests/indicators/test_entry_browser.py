"""A commander at the keyboard: enters a value, sees the light change, and nothing is lost on the way."""

import pytest
from django.test import Client

from indicators.models import Measurement
from tests.factories import MONTH, small_country

UNIT = "PN-01D01C01"


@pytest.fixture
def country(transactional_db):
    made = small_country(zones=1, districts=1, circuits=2, months=14, cards=False, missing=0)
    Measurement.objects.filter(month=MONTH, unit__code=UNIT).delete()
    return made


@pytest.fixture
def grid(country, sign_in, live_server):
    page = sign_in(country.people["reporter"])
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.goto(f"{live_server.url}/units/{UNIT}/entry/?month=2023-10")
    return page


def row(page, name):
    return page.locator("tr[data-row]", has_text=name)


def said(code):
    found = Measurement.objects.filter(month=MONTH, unit__code=UNIT, indicator__code=code).first()
    return found and (found.numerator, found.denominator, found.state)


def test_a_commander_enters_a_value_by_keyboard_and_sees_the_light_change(grid, outside_requests):
    page = grid
    patrols = row(page, "Patrol cars")
    assert "no data" in patrols.locator("[data-part=light]").inner_text()
    page.keyboard.press("ArrowDown")  # the first empty field has the keyboard already: this is the second
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    patrols.locator("[data-part=light]", has_text="off target").wait_for()
    assert "1 of 4 entered" in page.locator("[data-progress]").inner_text()
    assert page.locator(":focus").get_attribute("name").startswith("n-")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    patrols.locator("[data-part=light]", has_text="on target").wait_for()
    assert said("PN.PATROLS") == (8.0, None, 1)
    assert outside_requests == []


def test_a_ratio_goes_from_numerator_to_denominator_and_an_error_stands_at_the_cell(grid):
    page, solved = grid, row(grid, "Cases solved")
    solved.locator("[data-field=numerator]").focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    solved.locator(".said", has_text="division_by_zero").wait_for()
    assert solved.locator("[data-field=denominator]").get_attribute("aria-invalid") == "true"
    page.keyboard.press("Escape")
    assert solved.locator("[data-field=numerator]").input_value() == ""
    page.keyboard.type("10")  # escape left the keyboard in the denominator
    page.keyboard.press("ArrowUp")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    solved.locator("[data-part=value]", has_text="50").wait_for()
    assert said("PN.SOLVED") == (5.0, 10.0, 1)


def test_not_applicable_by_the_space_bar_and_undo(grid):
    page, patrols = grid, row(grid, "Patrol cars")
    patrols.locator("[data-field=numerator]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    patrols.locator("[data-part=light]", has_text="not applicable").wait_for()
    assert said("PN.PATROLS") == (None, None, 2)
    patrols.locator("[data-undo]").focus()
    page.keyboard.press("Enter")
    patrols.locator("[data-part=light]", has_text="no data").wait_for()
    assert said("PN.PATROLS") is None
    assert not patrols.locator("[data-field=state]").is_checked()


def test_a_conflict_shows_what_the_other_said_and_keeps_what_was_typed(grid, country):
    page, homicides = grid, row(grid, "Intentional homicides")
    key = homicides.get_attribute("data-row")
    other = Client()  # the page's own session is that of `client`
    other.force_login(country.people["approver"])
    other.post(f"/units/{UNIT}/entry/?month=2023-10", {"cell": key, f"n-{key}": "4", f"w-{key}": ""})
    homicides.locator("[data-field=numerator]").fill("5")
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="entered 4 meanwhile").wait_for()
    assert homicides.locator("[data-field=numerator]").input_value() == "5"
    homicides.locator("[data-field=numerator]").focus()
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="provisional").wait_for()
    assert said("PN.HOMICIDES") == (5.0, None, 1)


def test_a_server_that_cannot_be_reached_loses_nothing(grid):
    page, homicides = grid, row(grid, "Intentional homicides")
    page.route("**/entry/**", lambda route: route.abort())
    homicides.locator("[data-field=numerator]").fill("5")
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="cannot be reached").wait_for()
    page.unroute("**/entry/**")
    homicides.locator("[data-field=numerator]").focus()
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="provisional").wait_for()
    assert said("PN.HOMICIDES") == (5.0, None, 1)


def test_a_session_that_ended_is_said_and_loses_nothing_once_one_signs_in_again(grid, country, live_server):
    page, homicides = grid, row(grid, "Intentional homicides")
    page.context.clear_cookies(name="sessionid")
    homicides.locator("[data-field=numerator]").fill("5")
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="no longer signed in").wait_for()
    assert said("PN.HOMICIDES") is None
    country.people["reporter"].set_password("Guayllabamba-9")
    country.people["reporter"].save()
    page.context.clear_cookies(name="csrftoken")  # signing in makes another
    window = page.context.new_page()
    window.goto(f"{live_server.url}/accounts/login/")
    window.fill("[name=username]", country.people["reporter"].username)
    window.fill("[name=password]", "Guayllabamba-9")
    window.press("[name=password]", "Enter")
    window.locator("h1").wait_for()
    homicides.locator("[data-field=numerator]").focus()
    page.keyboard.press("Enter")
    homicides.locator(".said", has_text="provisional").wait_for()
    assert said("PN.HOMICIDES") == (5.0, None, 1)


def test_no_serious_barrier(grid, axe_violations):
    assert axe_violations(grid) == []
