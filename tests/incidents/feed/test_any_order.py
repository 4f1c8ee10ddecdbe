"""Whatever is sent, in whatever order and however often: each event is there once, as the rules of versions say, and
the marks that were made name every month and category in which a count may now differ.
"""

from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from incidents import feed
from incidents.models import CountMark, Incident, IncidentKey, IncidentPast, Victim
from tests.incidents.feed.conftest import NOW, item

NAMES = [f"E-{n}" for n in range(5)]
CATEGORIES = ["HOMICIDE.MURDER", "ROBBERY.HOMES", "ROBBERY.CARS"]
DAYS = ["2023-12-31", "2024-01-01", "2024-11-20"]

accounts = st.builds(
    lambda name, category, day, version, victims: item(
        name, category=category, occurred_on=day, version=version, victims=[{"sex": "HOMBRE"}] * victims
    ),
    st.sampled_from(NAMES),
    st.sampled_from(CATEGORIES),
    st.sampled_from(DAYS),
    st.none() | st.integers(1, 4),
    st.integers(0, 2),
)
words = st.builds(
    lambda name, action, category, version: {
        "external_id": name, "action": action, "reason": "As the source says.",
        **({"category": category} if action == "reclassify" else {}), **({"version": version} if version else {}),
    },
    st.sampled_from(NAMES), st.sampled_from(["reclassify", "retract"]), st.sampled_from(CATEGORIES),
    st.none() | st.integers(1, 4),
)  # fmt: skip


class Source(RuleBasedStateMachine):
    """A source that sends what it likes; beside it, slowly and in Python, what must be there."""

    country = account = None  # set by the test

    def __init__(self):
        super().__init__()
        self.sent, self.held, self.gone, self.versions = [], {}, set(), {}
        self.said = {}
        self.counts = Counter()

    @initialize()
    def empty(self):
        for model in (Incident, Victim, IncidentKey, IncidentPast, CountMark):
            model.objects.all().delete()

    def send(self, *items):
        outcome = feed.receive(account=self.account, institution=self.country.police, now=NOW, items=list(items))
        for said, result in zip(items, outcome.results, strict=True):
            assert result == self.expect(said), (said, result)
        self.sent += items

    def expect(self, said):
        """The result of an item by the rules as the documents tell them, and the state after it."""
        name, version, held = said["external_id"], said.get("version"), self.versions.get(said["external_id"])
        older = version is not None and held is not None and version < held
        newer = version is not None and (held is None or version > held)
        action = said.get("action", "upsert")
        known = name in self.held or name in self.gone
        if action != "upsert":
            result = self.expect_word(said, action, name, known, older)
        elif not known:
            result = "created"
        elif name in self.gone:
            result = "created" if newer else "refused"
        else:
            result = self.expect_account(said, name, version, older, newer)
        if result != "refused" and newer:
            self.versions[name] = version
        if action == "upsert" and result in ("created", "updated"):
            self.gone.discard(name)
            self.hold(name, content(said))
        return result

    def expect_word(self, said, action, name, known, older):
        if not known:
            return "refused"
        if name in self.gone:
            return "unchanged" if action == "retract" else "refused"
        if older:
            return "unchanged"
        if action == "retract":
            self.said.setdefault(name, set()).add(self.held.pop(name))
            self.gone.add(name)
            return "retracted"
        if self.held[name][0] == said["category"]:
            return "unchanged"
        self.hold(name, (said["category"], *self.held[name][1:]))
        return "reclassified"

    def expect_account(self, said, name, version, older, newer):
        if older or content(said) == self.held[name]:
            return "unchanged"
        if not newer:
            if content(said) in self.said.get(name, ()):
                return "unchanged"
            if version is not None:
                return "refused"
        return "updated"

    def hold(self, name, said):
        if name in self.held:
            self.said.setdefault(name, set()).add(self.held[name])
        self.held[name] = said

    @rule(said=accounts | words)
    def one(self, said):
        self.send(said)

    @rule(said=st.lists(accounts | words, min_size=2, max_size=6))
    def many(self, said):
        self.send(*said)

    @rule(data=st.data())
    def again(self, data):
        """What was sent before, late or twice."""
        if self.sent:
            self.send(*data.draw(st.lists(st.sampled_from(self.sent), min_size=1, max_size=3)))

    @invariant()
    def each_event_is_there_once_as_it_was_last_said(self):
        names = dict(IncidentKey.objects.filter(is_retracted=False).values_list("incident_id", "external_id"))
        rows = Incident.objects.values_list("id", "category__code", "occurred_on")
        people = Counter(Victim.objects.values_list("incident_id", flat=True))
        there = [(names[pk], (category, f"{day}", people[pk])) for pk, category, day in rows]
        assert sorted(there) == sorted(self.held.items())
        assert sum(people.values()) == sum(said[2] for said in self.held.values()), "nobody is left behind"

    @invariant()
    def counts_by_marks_are_those_of_a_recount(self):
        """Only what was marked is counted again, and that is enough."""
        marked = set(CountMark.objects.values_list("month", "category__code"))
        CountMark.objects.all().delete()
        true = Counter((date.fromisoformat(day).replace(day=1), kind) for kind, day, _ in self.held.values())
        for mark in marked:
            self.counts[mark] = true[mark]
        assert +self.counts == true


def content(said):
    return said["category"], said["occurred_on"], len(said.get("victims") or ())


@pytest.mark.django_db
def test_any_sequence_ends_as_the_rules_say(country, account):
    Source.country, Source.account = country, account
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        Source,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=checks, database=None
        ),
    )
