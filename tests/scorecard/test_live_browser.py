"""Open pages change by themselves while others write: a scorecard's lights, a board's events, and both catch up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from incidents import feed
from incidents.models import STAGES, Incident
from indicators.models import Measurement
from scorecard.refresh import refresh
from tests.factories import MONTH, small_country
from tests.scorecard.events import categories, happened
from tests.scorecard.live import cut_listeners, server


@pytest.fixture
def country(transactional_db):
    return small_country(zones=2, districts=2, circuits=2, months=2, missing=0)


@pytest.fixture
def site(country, tmp_path, wait_until):
    """The whole site on a real uvicorn, with its streams."""
    with server("scorecard.asgi:application", tmp_path / "uvicorn.log", wait_until, DEBUG="true") as running:
        yield running


@pytest.fixture
def opened(page, client, site, country):
    """`opened("name", path)`: a new page of the browser in which that person reads, its errors kept."""
    seen = []

    def as_person(name, path):
        client.force_login(country.people[name])
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies(
            [
                {"name": cookie.key, "value": cookie.value, "url": site.url},
                {"name": "django_language", "value": "en", "url": site.url},
            ]
        )
        made = page.context.new_page()
        made.on("pageerror", lambda error: seen.append(str(error)))
        made.on("request", lambda request: None if request.url.startswith(site.url) else seen.append(request.url))
        made.goto(site.url + path)
        made.locator("[data-live][data-is=on]").wait_for()
        return made

    yield as_person
    assert seen == []


def elsewhere(work):
    """Do it in a thread of its own, with its own connection to the database."""

    def run():
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result(30)


def worsen(country):
    """A month of many homicides in a circuit, and the cards that follow from it."""
    circuit, homicides = country.unit("PN-01D01C01"), country.indicators["PN.HOMICIDES"]
    Measurement.objects.filter(month=MONTH, unit=circuit, indicator=homicides).update(numerator=500)
    refresh(now=timezone.now())


def test_a_scorecard_and_a_board_change_without_a_reload(country, opened):
    kinds = categories()
    card = opened("analyst", "/units/PN-Z1/?month=2023-10")
    board = opened("analyst", "/board/PN-Z1/?hours=1")
    for one in (card, board):
        one.evaluate("window.notReloaded = true")
    assert "Nothing has happened" in board.locator("main").inner_text()
    before = card.locator("table.card").inner_text()
    value = card.locator("table.card tr", has_text="Intentional homicides").locator("td.v")
    old_value = value.inner_text()

    def write():
        now = timezone.now()
        local = timezone.localtime(now)
        for n in range(20):
            item = {
                "external_id": f"F-{n}",
                "category": kinds["T.FIRE"].code,
                "occurred_on": f"{local:%Y-%m-%d}",
                "occurred_at": f"{local:%H:%M}",
                "place": f"01D0{1 + n % 2}C01",
            }
            police = country.institutions["PN"]
            told = feed.receive(account=country.people["integrator"], institution=police, items=[item], now=now)
            assert told.results == ["created"], told
        worsen(country)

    elsewhere(write)
    board.locator("#events tbody tr").nth(19).wait_for()
    assert board.locator("#events tbody tr").count() == 20
    assert "20 events in Zone 1" in board.locator("h1").inner_text()
    card.wait_for_function("old => document.querySelector('td.v').innerText !== old", arg=old_value)
    assert card.locator("table.card").inner_text() != before
    assert card.evaluate("window.notReloaded") is board.evaluate("window.notReloaded") is True
    assert "homicides" in card.locator("[data-live-said]").inner_text()


def test_the_keyboard_stays_where_it_was_and_a_changed_row_is_marked(country, opened):
    card = opened("viewer", "/units/PN-Z1/?month=2023-10")
    link = card.locator("table.card tr", has_text="Intentional homicides").locator("th a").first
    link.focus()
    elsewhere(lambda: worsen(country))
    marked = card.locator("tr.is-changed", has_text="Intentional homicides")
    marked.wait_for()
    assert link.evaluate("a => a === document.activeElement")
    assert "no longer" not in card.locator("[data-live-state]").inner_text()
    marked.wait_for(state="detached")  # for some seconds only


def test_what_was_missed_while_the_listener_was_away_is_caught_up_with(country, opened, wait_until):
    card = opened("viewer", "/units/PN-Z1/?month=2023-10")
    value = card.locator("table.card tr", has_text="Intentional homicides").locator("td.v").inner_text()
    elsewhere(lambda: worsen(country))
    assert wait_until(cut_listeners) >= 1
    card.wait_for_function("old => document.querySelector('td.v').innerText !== old", arg=value)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_board_is_never_wider_than_the_window(country, opened, site, language):
    fire = categories()["T.FIRE"]
    happened(country, fire, "01D01C01", timezone.now(), count=2, answered=timedelta(seconds=7))
    stages = {name: timezone.now() + timedelta(minutes=55 + n) for n, name in enumerate(STAGES)}
    Incident.objects.filter(id=happened(country, fire, "01D01C01", timezone.now())[0]).update(**stages)
    board = opened("analyst", "/board/PN-Z1/?hours=6")
    board.context.add_cookies([{"name": "django_language", "value": language, "url": site.url}])
    board.goto(site.url + "/board/PN-Z1/?hours=6")
    assert board.locator("html").get_attribute("lang") == language
    assert board.locator("#events .stages span").count() >= 4
    for width in (1440, 1280, 768, 390, 320):
        board.set_viewport_size({"width": width, "height": 900})
        assert board.evaluate("document.documentElement.scrollWidth") <= width, width


def test_the_board_has_no_barriers_and_fits_a_phone(country, opened, axe_violations):
    kinds = categories()
    happened(country, kinds["T.FIRE"], "01D01C01", timezone.now(), count=3, point=(-79.5, -3.5))
    happened(country, kinds["T.FIRE"], "01D01", timezone.now())
    board = opened("analyst", "/board/PN-Z1/?hours=6")
    assert board.locator(".pt.about + .hole").count() == 1
    assert axe_violations(board) == []
    for scheme in ("light", "dark"):
        board.emulate_media(color_scheme=scheme)
        board.set_viewport_size({"width": 390, "height": 844})
        assert board.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe_violations(board) == []
