"""Connectors read real HTTP sources page by page: nothing lost, nothing twice, every failure by its name."""

import socket
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from incidents.connect import fetch
from incidents.connect import pull as pulling
from incidents.connect.models import Connector, DeadLetter
from incidents.connect.rules import SourceError
from incidents.models import Incident, IncidentKey
from tests.incidents.feed.conftest import item
from tests.incidents.feed.test_at_once import at_once

pytestmark = pytest.mark.django_db


def many(count, first=0):
    return [item(f"A-{n}") for n in range(first, first + count)]


def ids():
    return set(IncidentKey.objects.values_list("external_id", flat=True))


def pull(connector, **how):
    how.setdefault("is_due", False)
    told = pulling.pull(pk=connector.pk, **how)
    connector.refresh_from_db()
    return told


@pytest.mark.parametrize(("style", "asked"), [("cursor", 3), ("page", 4), ("next_link", 3)])
def test_every_page_is_read_and_the_last_again_so_that_what_is_added_to_it_comes_in(source, connect, style, asked):
    there = source(many(5), style=style)
    connector = connect(there)
    told = pull(connector)
    assert (told["created"], len(there.asked), ids()) == (5, asked, {f"A-{n}" for n in range(5)})
    assert connector.last_success_at is not None
    there.items += many(4, first=5)
    assert pull(connector)["created"] == 4
    assert ids() == {f"A-{n}" for n in range(9)}
    assert len(there.asked) < 2 * asked + 3, "what was read is not read from the beginning"


def test_same_page_twice_changes_nothing(source, connect):
    connector = connect(source(many(3), style="none", size=9))
    assert pull(connector)["created"] == 3
    before = Connector.objects.get().last_event_at
    told = pull(connector)
    assert (told["created"], told["unchanged"]) == (0, 3)
    assert Incident.objects.count() == 3
    assert connector.last_event_at == before


def test_a_source_that_dies_in_the_middle_is_read_on_from_there(source, connect):
    there = source(many(6))
    connector = connect(there)
    there.faults = [None, "die"]
    told = pull(connector)
    assert (told["created"], told["failed"], connector.last_rule, connector.cursor) == (2, 1, "broken_off", "2")
    assert connector.next_attempt_at > timezone.now()
    there.asked.clear()
    assert pull(connector)["created"] == 4
    assert "cursor=2" in there.asked[0]
    assert (ids(), Incident.objects.count()) == ({f"A-{n}" for n in range(6)}, 6)
    assert (connector.failures, connector.last_rule) == (0, "")


def test_a_page_and_its_cursor_stand_or_fall_together(source, connect, monkeypatch):
    there = source([*many(2), item("BAD", category="NO"), item("A-9")])
    connector = connect(there)

    def dies(**_):
        raise RuntimeError("as if the process had been killed")

    with monkeypatch.context() as patch:
        patch.setattr(pulling.letters, "keep", dies)
        with pytest.raises(RuntimeError):
            pull(connector)
    connector.refresh_from_db()
    assert (connector.cursor, ids(), DeadLetter.objects.count()) == ("", set(), 0)
    assert pull(connector)["created"] == 3
    assert (ids(), DeadLetter.objects.count()) == ({"A-0", "A-1", "A-9"}, 1)


@pytest.mark.parametrize("form", ["seconds", "instant"])
def test_a_source_that_asks_to_be_left_alone_is(source, connect, form):
    there = source(many(1))
    connector = connect(there)
    now = timezone.now()
    at = "1800" if form == "seconds" else format_datetime(now + timedelta(seconds=1800), usegmt=False)
    there.faults = [(429, {"Retry-After": at}, b"")]
    pull(connector)
    assert connector.last_rule == "too_many_requests"
    assert timedelta(seconds=1790) < connector.next_attempt_at - now < timedelta(seconds=1900)
    assert pulling.due(now=now + timedelta(seconds=1700)) == []
    assert pull(connector, is_due=True) == {}, "a worker that was asked too early reads nothing"
    assert len(there.asked) == 1


def test_failures_in_a_row_wait_longer_and_longer(source, connect):
    there = source(many(1))
    connector = connect(there)
    waits = []
    for _turn in range(4):
        there.faults = [(503, {}, b"")]
        before = timezone.now()
        pull(connector)
        waits.append((connector.next_attempt_at - before).total_seconds())
    assert connector.failures == 4
    for n, wait in enumerate(waits):
        assert 2.5 * 2**n <= wait <= 5.5 * 2**n


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ((200, {}, b'{"items": [}'), "page_malformed"),
        ((200, {}, b'{"items": "none"}'), "page_shape"),
        ((200, {}, b'{"items": [{"external_id": "\xff"}]}'), "page_encoding"),
        ((200, {}, b"[" * 100_000), "page_malformed"),
        ((200, {}, b'{"items": [], "next_cursor": {"a": 1}}'), "cursor_unreadable"),
        ((401, {}, b""), "secret_refused"),
        ((404, {}, b""), "not_found"),
        ((418, {}, b""), "status_unexpected"),
        ((500, {}, b""), "source_failed"),
        ((302, {"Location": "http://example.org/items"}, b""), "other_host"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "other_host"),
        ((200, {}, b" " * 2_000_000), "page_too_large"),
        ("die", "broken_off"),
    ],
)
def test_what_is_wrong_with_a_page_is_named(source, connect, settings, answer, rule):
    settings.CONNECT_MAX_BODY = 1_000_000
    there = source(many(2))
    connector = connect(there)
    there.faults = [answer]
    told = pull(connector)
    assert (told["failed"], connector.last_rule, connector.failures) == (1, rule, 1)
    assert not Incident.objects.exists()
    assert pull(connector)["created"] == 2


def test_redirects_within_the_host_are_followed_and_not_for_ever(source, connect):
    there = source(many(2))
    connector = connect(there)
    there.faults = [(307, {"Location": "/items?moved=1"}, b"")]
    assert pull(connector)["created"] == 2
    there.faults = [(307, {"Location": "/items"}, b"")] * 4
    pull(connector)
    assert connector.last_rule == "too_many_redirects"


def test_a_next_link_to_another_host_is_not_followed(source, connect):
    there = source(many(2), style="next_link")
    connector = connect(there)
    there.faults = [(200, {}, b'{"items": [], "next": "http://169.254.169.254/latest"}')]
    pull(connector)
    assert connector.last_rule == "other_host"


def test_a_cursor_that_goes_in_circles_is_found_out(source, connect):
    there = source(many(2))
    connector = connect(there)
    pages = [b'{"items": [{}], "next_cursor": "%d"}' % (n % 2) for n in range(6)]
    there.faults = [(200, {}, page) for page in pages]
    pull(connector)
    assert connector.last_rule == "cursor_stuck"


def test_addresses_of_this_machine_are_refused_unless_named(source, connect, settings):
    connector = connect(source(many(2)))
    settings.CONNECT_HOSTS = []
    pull(connector)
    assert connector.last_rule == "address_refused"


@pytest.mark.parametrize(
    ("address", "may_be_read"),
    [
        ("10.1.2.3", False), ("172.16.0.9", False), ("192.168.1.1", False), ("100.64.0.1", False),
        ("169.254.1.1", False), ("127.0.0.1", False), ("224.0.0.1", False), ("::1", False), ("fd00::1", False),
        ("::ffff:10.1.2.3", False), ("190.15.128.1", True), ("2800:370::1", True),
    ],
)  # fmt: skip
def test_addresses_of_private_networks_are_refused_unless_named(address, may_be_read, settings, monkeypatch):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(socket.AF_INET, 1, 6, "", ("190.15.128.2", 443)), (family, 1, 6, "", (address, 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    settings.CONNECT_HOSTS = []
    if may_be_read:
        fetch.check_host("source.example", 443)
    else:
        with pytest.raises(SourceError, match=r"source\.example"):
            fetch.check_host("source.example", 443)
    settings.CONNECT_HOSTS = ["source.example"]
    fetch.check_host("source.example", 443)


def test_a_source_that_is_away_is_unreachable(source, connect, settings):
    connector = connect(source(many(1)))
    Connector.objects.update(url="http://127.0.0.1:9/items")
    pull(connector)
    assert connector.last_rule == "unreachable"


def test_the_secret_is_sent_in_its_header(source, connect):
    there = source(many(1))
    connector = connect(there, header="X-Key")
    Connector.objects.update(secret="s3cret")
    pull(connector)
    assert there.headers[0]["X-Key"] == "s3cret"


def test_items_in_a_layout_of_the_institution_are_read_by_it(source, connect):
    row = {"NUMERO DE INCIDENTE": "77", "TIPO": "NO SUCH"}
    connector = connect(source([row]), layout="ecu911-emergencies")
    told = pull(connector)
    assert told["refused"] == 1
    letter = DeadLetter.objects.get()
    assert b"NUMERO DE INCIDENTE" in bytes(letter.raw)
    assert letter.layout == "ecu911-emergencies"


def test_an_item_of_another_institution_is_refused_alone(source, connect):
    connector = connect(source([item("A"), item("B", source="MDI")]))
    told = pull(connector)
    assert (told["created"], told["refused"]) == (1, 1)
    assert (DeadLetter.objects.get().rule, DeadLetter.objects.get().external_id) == ("other_institution", "B")


def test_a_paused_connector_is_not_due(source, connect):
    connector = connect(source(many(1)))
    assert pulling.due(now=timezone.now()) == [connector.pk]
    Connector.objects.update(is_active=False)
    assert pulling.due(now=timezone.now()) == []
    assert pull(connector, is_due=True) == {}


def test_the_command_reads_now_and_says_what_came(source, connect, capsys):
    there = source(many(5))
    connect(there)
    call_command("pull", "calls", "--once")
    assert "calls: 1 pages, 2 created" in capsys.readouterr().out
    call_command("pull", "calls")
    assert "3 created" in capsys.readouterr().out
    there.faults = [(500, {}, b"")]
    with pytest.raises(CommandError, match="source_failed"):
        call_command("pull", "calls")
    with pytest.raises(CommandError, match="There is no connector"):
        call_command("pull", "nobody")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_read_a_page_once(source, connect):
    there = source(many(2))
    connector = connect(there)
    there.gate = threading.Event()
    results = []

    def work(n):
        if n:
            while not there.asked:
                pass
            results.append(pulling.pull(pk=connector.pk))
            there.gate.set()
            return results[-1]
        return pulling.pull(pk=connector.pk)

    first, second = at_once(2, work)
    assert (first["created"], second, len(there.asked)) == (2, None, 1)
    assert Incident.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_read_while_the_connector_was_changed_is_not_taken(source, connect):
    there = source(many(2))
    connector = connect(there)

    def changed():
        Connector.objects.update(cursor="1")
        connection.close()
        return (200, {}, b'{"items": [{"external_id": "OLD"}]}')

    there.faults = [changed]
    pull(connector)
    assert (ids(), connector.failures, connector.cursor) == (set(), 0, "1")
