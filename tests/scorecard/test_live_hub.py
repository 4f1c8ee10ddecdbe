"""One connection hears what changes and tells those pages alone that show it; what it missed, all look for."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest
from django.db import connections

from scorecard.components import BANDS, Band, card_band
from scorecard.live import hub as live
from scorecard.live import leave
from scorecard.live import ticket as tickets
from scorecard.live.hub import Hub, Stream, card_said
from scorecard.live.leave import Leave
from scorecard.live.pages import CARD_BANDS, band_key
from scorecard.models import Card
from tests.factories import small_country
from tests.scorecard.live import cut_listeners, notify, run
from units.actions import revoke_role
from units.models import User
from units.permissions import Permission, Role, roles_with

MONTH = "2023-10"
FAR = 1e12


class Page:
    """A page's end of a stream: keeps what it was told. A slow one takes nothing."""

    def __init__(self, key, *, until=FAR, is_slow=False, leave=None):
        self.told, self.is_over, self.is_slow = [], False, is_slow
        self.stream = Stream(self._send, key, until, leave)

    async def _send(self, message):
        if self.is_slow:
            await asyncio.sleep(60)
        self.told.append(message["body"].decode())
        self.is_over = not message["more_body"]

    @property
    def events(self):
        blocks = "".join(self.told).split("\n\n")
        lines = [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line) for block in blocks]
        return [(one["event"], json.loads(one["data"])) for one in lines if "event" in one]

    def named(self, name):
        return [data for said, data in self.events if said == name]


async def until(condition, seconds=10):
    """Like the fixture wait_until, letting the loop run."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def joined(*keys):
    """A hub that listens, and a page a key, each told that it does."""
    hub, pages = Hub(), [Page(key) for key in keys]
    for page in pages:
        hub.join(page.stream)
    await until(lambda: hub.since is not None and all(page.named("resync") for page in pages))
    for page in pages:
        page.told.clear()
    return hub, pages


async def said(channel, payload):
    await asyncio.to_thread(notify, channel, payload)


@pytest.fixture
def country(transactional_db):
    return small_country(zones=2, districts=1, circuits=2, months=2, missing=0)


def test_a_changed_card_is_told_to_its_page_and_to_that_above_it_alone(country):
    zone, other, district = (country.unit(code).pk for code in ("PN-Z1", "PN-Z2", "PN-01D01"))
    card = Card.objects.get(unit_id=district, month=country.month)

    async def scenario():
        keys = [(zone, MONTH), (other, MONTH), (district, MONTH), (zone, "2023-09"), country.territories["EC"].pk]
        hub, pages = await joined(*keys)
        await said("tablero_cards", {"m": MONTH, "u": [district]})
        await until(lambda: pages[0].events and pages[2].events)
        hub.close()
        return [page.events for page in pages]

    above, beside, own, before, board = run(scenario())
    assert [name for name, _ in own] == ["cards"]
    assert own[0][1]["month"] == MONTH
    assert own[0][1]["unit"] == district
    assert own[0][1]["cards"][0]["digest"] == str(card.digest)
    assert own[0][1]["cards"][0]["code"] == "PN-01D01"
    assert above[0][1]["unit"] == zone
    assert above[0][1]["cards"] == own[0][1]["cards"]
    assert beside == before == board == []


def test_where_too_much_changed_every_page_of_cards_looks_for_itself(country):
    zone = country.unit("PN-Z1").pk

    async def scenario():
        hub, pages = await joined((zone, MONTH), (zone, "2023-09"), country.territories["EC"].pk)
        await said("tablero_cards", {"m": None})
        await until(lambda: pages[0].events and pages[1].events)
        hub.close()
        return [[name for name, _ in page.events] for page in pages]

    assert run(scenario()) == [["resync"], ["resync"], []]


def test_an_incident_is_told_to_the_boards_whose_territory_holds_it(country):
    place = country.territories

    async def scenario():
        hub, pages = await joined(place["01D01C01"].pk, place["Z1"].pk, place["EC"].pk, place["Z2"].pk)
        happened = [[1, "2023-10-02", place["01D01C01"].pk, 1], [2, "2023-10-02", place["01D01C02"].pk, 1]]
        await said("tablero_incidents", {"i": [*happened, [3, "2023-10-02", None, 1]]})
        await until(lambda: pages[2].events)
        hub.close()
        return [page.named("incidents") for page in pages]

    circuit, zone, nation, beside = run(scenario())
    assert circuit == [{"n": 1}]
    assert zone == [{"n": 2}]
    assert nation == [{"n": 3}]  # without a place it belongs to the whole country
    assert beside == []


def test_a_lost_connection_is_opened_again_and_every_page_looks_for_itself(country):
    zone = country.unit("PN-Z1").pk

    async def scenario():
        hub, (page, board) = await joined((zone, MONTH), country.territories["EC"].pk)
        assert await asyncio.to_thread(cut_listeners) == 1
        await until(lambda: page.named("resync") and board.named("resync"))
        await said("tablero_cards", {"m": MONTH, "u": [zone]})
        await until(lambda: page.named("cards"))
        hub.close()

    run(scenario())


def test_what_is_not_understood_is_passed_over_and_the_rest_is_told(country, caplog):
    zone = country.unit("PN-Z1").pk

    async def scenario():
        hub, (page,) = await joined((zone, MONTH))
        await said("tablero_cards", "no object")
        await said("tablero_cards", {"m": "not a month", "u": ["x"]})
        await said("tablero_incidents", {"i": [[1]]})
        await said("tablero_cards", {"m": MONTH, "u": [zone]})
        await until(lambda: page.named("cards") or page.named("resync"))
        await said("tablero_cards", {"m": MONTH, "u": [zone]})
        await until(lambda: page.named("cards"))
        hub.close()

    run(scenario())
    assert "is not understood" in caplog.text


def test_a_page_says_hello_and_is_stale_only_where_its_month_has_moved_since(country):
    zone = country.unit("PN-Z1").pk

    async def scenario():
        hub, (page,) = await joined((zone, MONTH))
        hub.since -= 3600
        made = hub.since + 60
        await said("tablero_cards", {"m": MONTH, "u": [zone]})
        await until(lambda: page.named("cards"))
        pages = [Stream(None, key, FAR) for key in ((zone, MONTH), (zone, "2023-09"), country.territories["EC"].pk)]
        hello = [json.loads(hub.hello(stream, made).decode().split("data: ")[1]) for stream in pages]
        before_it_listened = json.loads(hub.hello(pages[1], hub.since - 60).decode().split("data: ")[1])
        hub.close()
        return [one["stale"] for one in hello], before_it_listened["stale"]

    assert run(scenario()) == ([True, False, False], True)


def test_a_reader_that_does_not_read_is_dropped_and_keeps_nobody_waiting(country):
    zone = country.unit("PN-Z1").pk

    async def scenario():
        hub, (page,) = await joined((zone, MONTH))
        slow = Page((zone, MONTH), is_slow=True)
        hub.join(slow.stream)
        assert len(hub) == 2
        await said("tablero_cards", {"m": MONTH, "u": [zone]})
        await until(lambda: page.named("cards"))
        left = len(hub)
        hub.close()
        return left

    assert run(scenario()) == 1


def test_who_may_no_longer_hear_is_found_out_in_one_question(country, monkeypatch):
    monkeypatch.setattr(live, "LEAVES_EVERY", 0.0)
    monkeypatch.setattr(live, "PULSE", 0.05)
    zone, nation = country.unit("PN-Z1"), country.unit("PN-EC")
    viewer, analyst = country.people["viewer"], country.people["analyst"]
    unit_of = {Leave(viewer.pk, zone.pk, False): "cards", Leave(analyst.pk, zone.pk, True): "board"}
    unit_of |= {Leave(viewer.pk, zone.pk, True): "viewer's board", Leave(viewer.pk, nation.pk, False): "above"}
    questions = []
    real = live.lost

    async def counted(db, leaves):
        questions.append(len(leaves))
        return await real(db, leaves)

    monkeypatch.setattr(live, "lost", counted)

    async def scenario():
        hub, pages = Hub(), {}
        for whose, name in unit_of.items():
            pages[name] = Page((zone.pk, MONTH), leave=whose)
            hub.join(pages[name].stream)
        free = Page((zone.pk, MONTH))
        hub.join(free.stream)
        await until(lambda: pages["above"].is_over and pages["viewer's board"].is_over)
        still = [name for name, page in pages.items() if not page.is_over]
        await asyncio.to_thread(lambda: User.objects.filter(pk=viewer.pk).update(is_active=False))
        await until(lambda: pages["cards"].is_over)
        await asyncio.to_thread(lambda: revoke_role(by=None, user=analyst, role=Role.ANALYST, unit=zone))
        await until(lambda: pages["board"].is_over)
        has_lost = hub.has_lost(Leave(viewer.pk, zone.pk, False), time.time() - 60)
        is_let_in_anew = not hub.has_lost(Leave(viewer.pk, zone.pk, False), time.time() + 1)
        hub.close()
        await asyncio.to_thread(connections.close_all)
        return still, free.is_over and not len(hub), has_lost, is_let_in_anew

    assert run(scenario()) == (["cards", "board"], True, True, True)
    assert questions[0] == 4


def test_leaves_are_what_the_permissions_say():
    assert sorted(leave.FOR_CARDS) == sorted(roles_with(Permission.VIEW))
    assert sorted(leave.FOR_BOARDS) == sorted(roles_with(Permission.ANALYSE))
    assert tickets.HOURS * 3600 == live.LONGEST_LEAVE


def test_a_sign_of_life_comes_without_an_event_and_a_leave_ends_with_its_time(country, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT", 1)

    async def scenario():
        hub = Hub()
        holds, ran_out = Page(("x", MONTH)), Page(("x", MONTH), until=1.0)
        for page in (holds, ran_out):
            hub.join(page.stream)
        await until(lambda: ":\n\n" in holds.told and ran_out.is_over)
        assert not holds.is_over
        assert len(hub) == 1
        hub.close()
        assert holds.is_over
        assert len(hub) == 0

    run(scenario())


def test_a_light_is_named_as_the_page_names_it():
    for light in range(5):
        for has_red in (False, True):
            for provisional in (False, True):
                for due in (False, True):
                    row = SimpleNamespace(
                        unit_id=1, code="A", light=light, has_red=has_red, is_provisional=provisional, is_due=due,
                        score=None, digest=7,
                    )  # fmt: skip
                    band = card_band(light, provisional=provisional, has_red=has_red, due=due)
                    assert card_said(row)["light"] == band_key(band)
                    assert band in CARD_BANDS
    assert {band.name for band in CARD_BANDS} == set(BANDS) - {"not_evaluable"}
    assert Band("green") in CARD_BANDS
