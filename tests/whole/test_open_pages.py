"""Pages that stand open show what another process sends, and catch up after whatever they hang on was away."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("serial")

SENDER = """
import json, sys, urllib.request
from datetime import datetime
from zoneinfo import ZoneInfo

url, token, zone, places, prefix, count = json.load(sys.stdin)
now = datetime.now(ZoneInfo(zone))
for n in range(count):
    event = {"external_id": f"{prefix}-{n}", "category": "HOMICIDE.MURDER", "occurred_on": f"{now:%Y-%m-%d}",
             "occurred_at": f"{now:%H:%M}", "place": places[n % len(places)], "victims": [{"age": 30}]}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps([event]).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer)["created"] == 1
"""
COUNT = "table.card tr:has-text('Intentional homicides') td.v"


@pytest.fixture
def send(whole):
    """`send(prefix, n)`: a process of its own posts n events of this moment, one a request, in places of Zone 1."""
    places = [place for place in whole.country["places"] if place.startswith("01")]

    def post(prefix, count):
        about = whole.country
        said = [f"{whole.url}/api/v1/incidents", about["token"], about["zone"], places, prefix, count]
        with subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE, text=True) as sender:
            sender.communicate(json.dumps(said), timeout=60)
        assert sender.returncode == 0

    return post


@pytest.fixture
def opened(whole, page, wait_until):
    """`opened(path)`: a page that is open and live, and says so if it is ever loaded again."""
    wait_until(whole.answers, seconds=60, why="the site does not answer")
    wait_until(whole.is_settled, seconds=60, why="marks are left that nobody drains")
    cookies = {"sessionid": whole.country["session"], "django_language": "en"}
    page.context.add_cookies([{"name": name, "value": value, "url": whole.url} for name, value in cookies.items()])
    loaded, errors = [], []

    def open_(path):
        made = page.context.new_page()
        made.on("pageerror", lambda error: errors.append(str(error)))
        made.goto(whole.url + path)
        is_live(made)
        made.evaluate("window.notReloaded = true")
        made.on("framenavigated", lambda frame: loaded.append(frame.url))
        return made

    yield open_
    for one in page.context.pages[1:]:
        assert one.evaluate("window.notReloaded") is True
    assert (loaded, errors) == ([], [])


@pytest.fixture
def card(whole, opened):
    """The scorecard of Zone 1 of the running month."""
    return opened(f"/units/PN-Z1/?month={whole.country['running'][:7]}")


def is_live(page):
    page.locator("[data-live][data-is=on]").wait_for()


def count_on(card):
    return int(card.locator(COUNT).inner_text().split()[-1].replace(",", ""))  # after its light


@pytest.fixture
def moves_by(wait_until):
    """`moves_by(card, before, n)`: waits until the line says n more, by itself."""

    def wait(card, before, more):
        wait_until(lambda: count_on(card) == before + more, seconds=60, why="the open scorecard does not catch up")

    return wait


def test_twenty_events_of_another_process_reach_a_scorecard_and_a_board(card, opened, send, moves_by):
    board = opened("/board/PN-Z1/?hours=1")
    there, before = board.locator("#events tbody tr").count(), count_on(card)
    send("twenty", 20)
    board.locator("#events tbody tr").nth(there + 19).wait_for()
    assert board.locator("#events tbody tr").count() == there + 20
    moves_by(card, before, 20)


def test_a_page_catches_up_with_what_changed_while_the_site_was_away(whole, card, moves_by, send, wait_until):
    """Events are taken but not counted; the site dies, the cards change without it, and it is started again."""
    before = count_on(card)
    whole.kill("worker")
    send("site", 3)
    whole.kill("site")
    card.locator("[data-live]:not([data-is=on])").wait_for()
    whole.start("worker")
    wait_until(whole.is_settled, seconds=60, why="marks are left that nobody drains")
    assert count_on(card) == before
    whole.start("site")
    moves_by(card, before, 3)
    is_live(card)


def test_a_page_catches_up_with_what_changed_while_the_worker_was_away(whole, card, moves_by, send):
    before = count_on(card)
    whole.kill("worker")
    send("worker", 3)
    assert count_on(card) == before
    whole.start("worker")
    moves_by(card, before, 3)
    is_live(card)
