"""Items of a feed: each event once, what is sent again changes nothing, what replaces keeps what was said before."""

from datetime import date

import pytest

from incidents.models import CountMark, Incident, IncidentKey, IncidentPast, Victim
from tests.incidents.feed.conftest import item

pytestmark = pytest.mark.django_db


def results(outcome):
    return outcome.results


def test_new_event_is_created_with_key_victims_and_mark(send, country):
    assert results(send(item())) == ["created"]
    incident = Incident.objects.get()
    assert (incident.occurred_on, str(incident.occurred_at)) == (date(2024, 11, 20), "14:05:00")
    assert incident.territory == country.places["09D01C01S01"]
    assert incident.source == country.police
    key = IncidentKey.objects.get()
    assert (key.incident_id, key.occurred_on, key.is_retracted) == (incident.id, incident.occurred_on, False)
    victim = Victim.objects.get()
    assert (victim.incident_id, victim.ordinal, victim.numbers) == (incident.id, 1, [30.0])
    assert list(CountMark.objects.values_list("month", "category_id")) == [(date(2024, 11, 1), incident.category_id)]


def test_one_and_many_write_the_same(send):
    send(item("A"))
    send(item("B"), item("C"))
    rows = list(Incident.objects.order_by("id").values())
    for row in rows:
        row.pop("id")
    assert rows[0] == rows[1] == rows[2]
    people = list(Victim.objects.values_list("occurred_on", "ordinal", "codes", "numbers"))
    assert people[0] == people[1] == people[2]


def test_the_same_again_is_unchanged(send):
    send(item(), item("B"))
    CountMark.objects.all().delete()
    assert results(send(item())) == ["unchanged"]
    assert results(send(item(), item("B"))) == ["unchanged", "unchanged"]
    assert not CountMark.objects.exists()
    assert not IncidentPast.objects.exists()


def test_update_supersedes_and_keeps_what_was_said(send, country, account):
    send(item())
    before = Incident.objects.get()
    CountMark.objects.all().delete()
    moved = item(occurred_on="2023-01-05", category="ROBBERY.HOMES", victims=[])
    assert results(send(moved)) == ["updated"]
    now = Incident.objects.get()
    assert (now.id, now.occurred_on) == (before.id, date(2023, 1, 5))
    assert not Victim.objects.exists()
    past = IncidentPast.objects.get()
    assert (past.incident_id, past.occurred_on, past.fate) == (now.id, date(2024, 11, 20), "changed")
    assert past.changes == ["category", "date", "victims"]
    assert past.replaced_by_account == account
    assert past.victims[0]["numbers"] == [30.0]
    marks = set(CountMark.objects.values_list("month", "category__code"))
    assert marks == {(date(2024, 11, 1), "HOMICIDE.MURDER"), (date(2023, 1, 1), "ROBBERY.HOMES")}
    assert IncidentKey.objects.get().occurred_on == date(2023, 1, 5)


def test_reclassification_is_an_event_of_its_own(send, country):
    send(item(category="ROBBERY.PERSONS"))
    CountMark.objects.all().delete()
    said = {"external_id": "A-1", "action": "reclassify", "category": "HOMICIDE.MURDER", "reason": "The victim died."}
    assert results(send(said)) == ["reclassified"]
    assert Incident.objects.get().category.code == "HOMICIDE.MURDER"
    past = IncidentPast.objects.get()
    assert (past.fate, past.changes, past.reason) == ("reclassified", ["category"], "The victim died.")
    assert set(CountMark.objects.values_list("category__code", flat=True)) == {"ROBBERY.PERSONS", "HOMICIDE.MURDER"}
    assert results(send(said)) == ["unchanged"]
    retried = send(item(category="ROBBERY.PERSONS"))
    assert (retried.results, retried.flags) == (["unchanged"], {0: ["older"]})
    assert results(send(item(category="HOMICIDE.MURDER"))) == ["unchanged"], "that is what is said now"


def test_retraction_leaves_a_tombstone(send):
    send(item(version=1))
    assert results(send({"external_id": "A-1", "action": "retract", "reason": "Sent by mistake."})) == ["retracted"]
    assert not Incident.objects.exists()
    assert not Victim.objects.exists()
    late = send(item(version=1))
    assert (late.results, late.faults[0][0].rule) == (["refused"], "retracted")
    assert results(send(item(version=2))) == ["created"]
    key = IncidentKey.objects.get()
    assert (key.incident_id, key.is_retracted) == (Incident.objects.get().id, False)


def test_older_version_changes_nothing(send):
    send(item(version=5))
    outcome = send(item(version=4, category="ROBBERY.HOMES"))
    assert (outcome.results, outcome.flags) == (["unchanged"], {0: ["older"]})
    assert Incident.objects.get().category.code == "HOMICIDE.MURDER"


def test_same_event_twice_in_a_body_is_taken_in_order(send):
    outcome = send(item(), item(category="ROBBERY.HOMES"), item("B"), item(category="ROBBERY.CARS"))
    assert results(outcome) == ["created", "updated", "created", "updated"]
    assert Incident.objects.get(pk__in=[(i.occurred_on, i.id) for i in Incident.objects.all()],
                                category__code="ROBBERY.CARS")  # fmt: skip
    assert Incident.objects.count() == 2
    assert IncidentPast.objects.count() == 2


def test_two_institutions_may_use_the_same_identifier(send, country):
    assert results(send(item())) == ["created"]
    assert results(send(item(), institution=country.ministry)) == ["created"]
    assert Incident.objects.count() == 2


def test_point_finds_its_subcircuit(send, country, boundaries):
    assert send(item(place=None, longitude=-79.75, latitude=-2.25)).flags == {}
    incident = Incident.objects.get()
    assert (incident.territory.code, incident.place_precision) == ("09D01C01S02", 1)


def test_point_and_code_that_disagree_are_flagged(send, country, boundaries):
    outcome = send(item(place="09D02C01S01", longitude=-79.75, latitude=-2.25))
    assert outcome.flags == {0: ["place_mismatch"]}
    assert Incident.objects.get().territory.code == "09D01C01S02"


def test_point_is_placed_by_the_boundary_of_its_day(send, country, boundaries):
    from units.models import Boundary

    old = Boundary.objects.get(territory__code="09D01C01S02")
    Boundary.objects.filter(pk=old.pk).update(valid_to="2024-01-01")
    Boundary.objects.create(
        territory=country.places["09D01C01S01"], valid_from="2013-01-01", valid_to="2014-01-01",
        geometry=old.geometry, source="test",
    )  # fmt: skip
    send(*(item(day, occurred_on=day, place=None, longitude=-79.75, latitude=-2.25)
           for day in ("2023-12-31", "2024-01-01", "2013-06-01")))  # fmt: skip
    placed = dict(Incident.objects.values_list("occurred_on", "territory__code"))
    assert placed == {
        date(2023, 12, 31): "09D01C01S02",
        date(2024, 1, 1): "09D01",
        date(2013, 6, 1): "09D01C01S01",
    }
