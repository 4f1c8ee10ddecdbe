"""The stream of an open page, from a real server of its own: who is let in, what is heard, how it ends."""

import time

import httpx
import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from scorecard.live import app
from scorecard.live import ticket as tickets
from scorecard.live.leave import Leave
from scorecard.live.pages import HEADER
from scorecard.models import Card
from tests.factories import MONTH, small_country
from tests.scorecard.country import signed_in
from tests.scorecard.live import Listener, cut_listeners, notify, run, server


@pytest.fixture
def country(transactional_db):
    return small_country(zones=2, districts=1, circuits=1, months=2, missing=0)


@pytest.fixture
def streams(country, tmp_path, wait_until):
    """The stream process alone, as in production."""
    with server("scorecard.live.app:application", tmp_path / "uvicorn.log", wait_until) as running:
        yield running


def ticket_of(country, code="PN-Z1", month=MONTH, **more):
    return tickets.for_card(user=country.people["viewer"], unit=country.unit(code), month=month, **more)


def listen(streams, ticket, wait_until):
    listener = Listener(streams, ticket)
    listener.start()
    wait_until(lambda: listener.named("hello"))
    return listener


def test_the_stream_alone_hears_of_its_own_month_and_ends_with_the_server(country, streams, wait_until):
    zone = country.unit("PN-Z1").pk
    own = listen(streams, ticket_of(country), wait_until)
    other_month = listen(streams, ticket_of(country, month=country.months[0]), wait_until)
    other_unit = listen(streams, ticket_of(country, "PN-Z2"), wait_until)
    board = listen(streams, tickets.for_board(user=country.people["analyst"], unit=country.unit("PN-Z1")), wait_until)
    wait_until(lambda: own.named("resync"))  # it listens
    notify("tablero_cards", {"m": "2023-10", "u": [zone]})
    notify("tablero_incidents", {"i": [[1, "2023-10-02", country.territories["01D01C01"].pk, 1]]})
    wait_until(lambda: own.named("cards") and board.named("incidents"))
    assert own.named("cards")[0]["unit"] == zone
    assert other_month.named("cards") == other_unit.named("cards") == board.named("cards") == []
    assert own.named("incidents") == []
    assert own.headers["content-type"].startswith("text/event-stream")
    assert "no-cache" in own.headers["cache-control"]
    assert own.headers["x-accel-buffering"] == "no"

    assert cut_listeners() == 1
    wait_until(lambda: len(own.named("resync")) == 2)

    before = time.monotonic()
    streams.process.terminate()
    streams.process.wait(10)
    for listener in (own, other_month, other_unit, board):
        listener.join(5)
        assert not listener.is_alive()
    assert time.monotonic() - before < 3


def test_without_a_ticket_that_holds_nothing_is_heard(country, streams):
    good = ticket_of(country)
    address = f"{streams.url}/live/events"
    old = ticket_of(country, now=time.time() - tickets.HOURS * 3600 - 1)
    for wrong in ("", "x", good[:-1] + ("A" if good[-1] != "A" else "B"), old, "é" * 50, "\x00"):
        answer = httpx.get(address, params={"ticket": wrong}, trust_env=False)
        assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store"), wrong
    assert httpx.get(address, trust_env=False).status_code == 403
    assert httpx.post(address, params={"ticket": good}, trust_env=False).status_code == 405
    assert httpx.get(streams.url, trust_env=False).status_code == 404


def test_a_ticket_whose_leave_was_lost_opens_no_stream_and_one_given_later_does(country, monkeypatch):
    viewer, zone = country.people["viewer"], country.unit("PN-Z1")
    at = time.time()
    monkeypatch.setattr(app.hub, "lost", {Leave(viewer.pk, zone.pk, False): at})
    answers = []

    async def send(message):
        answers.append(message.get("status"))

    def ask(ticket):
        scope = {"type": "http", "path": app.PATH, "method": "GET", "query_string": f"ticket={ticket}".encode()}
        return run(app._opened({**scope, "headers": []}, send))

    assert ask(ticket_of(country, now=at - 1)) is None
    assert answers[0] == 403
    monkeypatch.setattr(app.hub, "join", lambda stream: None)
    assert ask(ticket_of(country, now=at + 1)).leave == (viewer.pk, zone.pk, False)


# What pages say


@pytest.fixture
def people(country):
    return country.people


def ticket_on(response):
    return tickets.read(response.content.decode().split('data-ticket="')[1].split('"')[0])


def test_a_page_carries_the_ticket_of_its_own_unit_and_month(country, people):
    for path in ("/units/PN-Z1/?month=2023-10", "/units/PN-Z1/indicators/PN.HOMICIDES/?month=2023-10"):
        ticket = ticket_on(signed_in(people["viewer"]).get(path))
        assert (ticket.user, ticket.key) == (people["viewer"].pk, (country.unit("PN-Z1").pk, "2023-10"))
        assert ticket.until > time.time() + 11 * 3600


def test_an_open_page_is_given_its_pieces_and_nothing_where_nothing_changed(country, people):
    client, path = signed_in(people["viewer"]), "/units/PN-Z1/?month=2023-10"
    whole = client.get(path).content.decode()
    etag = whole.split('data-etag="')[1].split(" data-zone")[0].rstrip('"').replace("&quot;", '"')
    same = client.get(path, headers={HEADER: "pieces", "If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    pieces = client.get(path, headers={HEADER: "pieces"})
    body = pieces.content.decode()
    assert pieces.headers["ETag"] == etag
    assert "<header" not in body.split("<main")[0]
    assert tickets.read(pieces.headers["X-Tablero-Ticket"]).unit == country.unit("PN-Z1").pk
    main = whole.split('id="main"')[1].split("</main>")[0].partition(">")[2]
    assert body.split('id="main"')[1].split("</main>")[0].partition(">")[2] == main
    Card.objects.filter(unit=country.unit("PN-01D01"), month=MONTH).update(digest=1)
    assert client.get(path, headers={HEADER: "pieces", "If-None-Match": etag}).status_code == 200


def test_pieces_are_for_those_who_may_see_the_page(country, people):
    headers = {HEADER: "pieces"}
    assert signed_in(people["viewer"]).get("/units/PN-EC/?month=2023-10", headers=headers).status_code == 404
    assert Client().get("/units/PN-Z1/?month=2023-10", headers=headers).status_code == 302


def test_an_indicators_page_is_not_sent_again_where_it_says_the_same(people):
    client, path = signed_in(people["viewer"]), "/units/PN-Z1/indicators/PN.HOMICIDES/?month=2023-10"
    first = client.get(path, headers={HEADER: "pieces"})
    assert first.status_code == 200
    again = client.get(path, headers={HEADER: "pieces", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_ticket_says_who_and_for_how_long(country):
    ticket = tickets.read(ticket_of(country, now=1000.0), now=2000.0)
    assert (ticket.kind, ticket.at, ticket.until) == ("card", 1000.0, 1000.0 + 12 * 3600)
    with pytest.raises(tickets.TicketError, match="too old"):
        tickets.read(ticket_of(country, now=1000.0), now=1000.0 + 12 * 3600 + 1)
    board = tickets.for_board(user=AnonymousUser(), unit=country.unit("PN-Z1"))
    assert tickets.read(board).key == country.territories["Z1"].pk
