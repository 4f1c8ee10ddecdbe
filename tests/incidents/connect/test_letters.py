"""Refused items wait for a person, who mends the cause and replays them; nothing older overwrites what is newer."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.connect import letters
from incidents.connect import pull as pulling
from incidents.connect.models import LARGEST_RAW, DeadLetter
from incidents.feed import decode, jobs
from incidents.models import Category, Incident
from tests.incidents.feed.conftest import NOW, item

pytestmark = pytest.mark.django_db


def pull(connector):
    return pulling.pull(pk=connector.pk, is_due=False)


def replay(**asked):
    return letters.replay(by=None, letters=DeadLetter.objects.filter(**asked), now=timezone.now())


def test_refused_item_is_taken_at_a_replay_once_the_catalogue_is_mended(source, connect):
    connector = connect(source([item("A"), item("B", category="ROBBERY.BOATS")]))
    pull(connector)
    letter = DeadLetter.objects.get()
    assert (letter.rule, letter.field, letter.message) == ("unknown_category", "category", "ROBBERY.BOATS")
    assert json.loads(bytes(letter.raw))["external_id"] == "B"
    assert replay() == {"refused": 1}, "nothing was mended yet"
    Category.objects.create(code="ROBBERY.BOATS", name="Botes", parent=Category.objects.get(code="ROBBERY"))
    assert replay() == {"created": 1}
    letter.refresh_from_db()
    assert (letter.state, letter.result, letter.raw, letter.settled_at is not None) == (
        "replayed",
        "created",
        None,
        True,
    )
    assert replay() == {}, "a settled letter is not replayed"
    assert Incident.objects.count() == 2


def test_the_same_item_again_is_the_same_letter_and_a_dismissed_one_stays_so(source, connect):
    connector = connect(source([item("B", category="NO")]))
    pull(connector)
    pull(connector)
    assert DeadLetter.objects.get().times == 2
    assert letters.dismiss(by=None, letters=DeadLetter.objects.all(), now=NOW) == 1
    pull(connector)
    letter = DeadLetter.objects.get()
    assert (letter.state, letter.times, letter.raw) == ("dismissed", 3, None)


def test_a_letter_does_not_overwrite_what_the_source_said_since(source, connect):
    there = source([item("A"), item("A", category="NO")], size=9)
    connector = connect(there)
    pull(connector)
    there.items = [item("A", category="ROBBERY.HOMES")]
    pull(connector)
    Category.objects.create(code="NO", name="No")
    assert replay() == {"overtaken": 1}
    assert Incident.objects.get().category.code == "ROBBERY.HOMES"
    assert DeadLetter.objects.get().state == "overtaken"


def test_a_huge_item_is_kept_in_part_and_not_replayed(source, connect):
    connector = connect(source([item("B", reason="x" * 2 * LARGEST_RAW)]))
    pull(connector)
    letter = DeadLetter.objects.get()
    assert (len(letter.raw), letter.is_cut) == (LARGEST_RAW, True)
    assert replay() == {"cut": 1}


def test_letters_go_when_their_days_are_over(source, connect, settings):
    pull(connect(source([item("B", category="NO")])))
    assert letters.expire(now=timezone.now()) == 0
    assert letters.expire(now=timezone.now() + timedelta(days=settings.LETTER_DAYS + 1)) == 1


LINES = [item("A"), item("B", category="NO"), {"external_id": "C", "what": 1}]
CSV = "external_id,category,occurred_on\nA,ROBBERY.HOMES,2024-11-20\nB,NO,2024-11-20\nC,NO\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (decode.JSON, json.dumps(LINES)),
        (decode.JSON, json.dumps({"incidents": LINES})),
        (decode.NDJSON, "\n\n".join(map(json.dumps, LINES)) + "\n"),
        (decode.CSV, CSV),
    ],
)
def test_refused_items_of_a_job_are_kept_as_they_came(country, account, monkeypatch, kind, body):
    monkeypatch.setattr(jobs, "PART", 2)
    job = jobs.accept(account=account, institution=country.police, body=body.encode(), kind=kind, now=NOW)
    jobs.take_job(pk=job.pk, now=NOW)
    found = {letter.external_id: json.loads(bytes(letter.raw)) for letter in DeadLetter.objects.all()}
    assert set(found) == {"B", "C"}
    assert (found["B"]["external_id"], found["B"]["category"], found["C"]["external_id"]) == ("B", "NO", "C")
    Category.objects.create(code="NO", name="No")
    assert replay(external_id="B") == {"created": 1}


def test_refused_item_of_an_answered_request_is_not_kept(send):
    assert send(item("B", category="NO")).counts["refused"] == 1
    assert not DeadLetter.objects.exists()


def test_replay_asks_as_many_questions_for_many_letters_as_for_few(source, connect, count_queries):
    def queries_of(n):
        DeadLetter.objects.all().delete()
        pull(connect(source([item(f"{n}-{k}", category="NO") for k in range(n)], size=99), name=f"c{n}"))
        with count_queries() as queries:
            assert replay() == {"refused": n}
        return len(queries) - n  # what each letter says of today

    assert queries_of(3) == queries_of(9)
