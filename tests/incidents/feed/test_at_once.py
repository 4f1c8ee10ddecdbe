"""Many senders at once: the same body from eight of them leaves each event exactly once, and nobody waits for ever."""

import threading
from datetime import date

import pytest
from django.db import connection

from incidents import feed
from incidents.models import Incident, IncidentKey, IncidentPast, Victim
from tests.incidents.feed.conftest import NOW, item


def at_once(count, work):
    """Run work(n) in threads that begin together; what each returned."""
    begin, found = threading.Barrier(count), [None] * count

    def run(n):
        try:
            begin.wait(10)
            found[n] = work(n)
        except Exception as error:  # noqa: BLE001 - shown by the caller's comparison
            found[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.django_db(transaction=True)
def test_same_body_from_eight_senders_is_taken_once(country, account):
    first = [item(f"A-{n}") for n in range(60)]
    changed = [item(f"A-{n}", category="ROBBERY.HOMES", occurred_on="2023-05-05") for n in range(60)]

    def send(n):
        body = [*first, *changed] if n % 2 else [*reversed(first), *changed]
        return feed.receive(account=account, institution=country.police, now=NOW, items=body).counts

    counts = at_once(8, send)
    assert all(isinstance(found, dict) for found in counts), counts
    assert sum(found["created"] for found in counts) == 60
    assert sum(found["updated"] for found in counts) == 60, "what was replaced once is known when it comes again"
    assert Incident.objects.count() == Victim.objects.count() == IncidentKey.objects.count() == 60
    assert set(Incident.objects.values_list("occurred_on", "category__code")) == {(date(2023, 5, 5), "ROBBERY.HOMES")}
    assert IncidentPast.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_one_event_from_eight_senders_is_taken_once(country, account):
    def send(n):
        return feed.receive(account=account, institution=country.police, now=NOW, items=[item()]).results[0]

    results = at_once(8, send)
    assert sorted(map(str, results)) == ["created", *["unchanged"] * 7]
    assert Incident.objects.count() == 1
