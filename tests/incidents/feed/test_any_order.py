"""Whatever is sent, in whatever order and however often, and whenever it is counted: each event is there once, as the
rules of versions say; the marks name every month and category in which a count may now differ; and the figures that a
worker writes by them are those of a recount from scratch.
"""

from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from incidents import counting, feed
from incidents.models import (
    Category,
    CountMark,
    EventRule,
    Incident,
    IncidentKey,
    IncidentPast,
    Measure,
    Victim,
)
from indicators.models import Measurement, StaleMark
from tests.incidents.feed.conftest import NOW, item

NAMES = [f"E-{n}" for n in range(5)]
CATEGORIES = ["HOMICIDE.MURDER", "ROBBERY.HOMES", "ROBBERY.CARS"]
DAYS = ["2023-12-31", "2024-01-01", "2024-11-20"]
UNITS = {"09D01C01S01": "PN.09D01", "09D01C02S02": "PN.09D01", "09D02C01S01": "PN.09D02", "000C01S01": "PN.Z0"}

accounts = st.builds(
    lambda name, category, day, version, victims, place: item(
        name, category=category, occurred_on=day, version=version, victims=[{"sex": "HOMBRE"}] * victims, place=place
    ),
    st.sampled_from(NAMES),
    st.sampled_from(CATEGORIES),
    st.sampled_from(DAYS),
    st.none() | st.integers(1, 4),
    st.integers(0, 2),
    st.sampled_from(list(UNITS)),
)
RULES = {"PN.HOMICIDES": ("victims", "HOMICIDE"), "PN.HOMICIDE.RATE": ("events", "ROBBERY")}
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
        self.counted = Counter()  # the true counts when marks were last drained

    @initialize()
    def empty(self):
        for model in (Incident, Victim, IncidentKey, IncidentPast, CountMark, Measurement, StaleMark):
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

    @rule()
    def drain(self):
        """The worker counts again what is marked; the figures must then be the true ones, and say so to the cards."""
        before = figures()
        StaleMark.objects.all().delete()
        while counting.drain(now=NOW)[0]:
            pass
        assert not CountMark.objects.exists()
        after = figures()
        assert stated(after) == self.expected()
        changed = {key[:2] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert set(StaleMark.objects.values_list("indicator__code", "month")) == changed
        self.counted = self.true()

    def true(self):
        """Events and victims by month, category and place, as a Counter each would hold them."""
        found = Counter()
        for category, day, victims, place in self.held.values():
            month = date.fromisoformat(day).replace(day=1)
            found["events", month, category, place] += 1
            found["victims", month, category, place] += victims
        return +found

    def expected(self):
        """What the two indicators must say, zeros left out."""
        found = Counter()
        for (what, month, category, place), n in self.true().items():
            for code, (measure, kind) in RULES.items():
                if what == measure and category.startswith(kind):
                    found[code, month, UNITS[place]] += n
        return found

    @invariant()
    def each_event_is_there_once_as_it_was_last_said(self):
        names = dict(IncidentKey.objects.filter(is_retracted=False).values_list("incident_id", "external_id"))
        rows = Incident.objects.values_list("id", "category__code", "occurred_on", "territory__code")
        people = Counter(Victim.objects.values_list("incident_id", flat=True))
        there = [(names[pk], (category, f"{day}", people[pk], place)) for pk, category, day, place in rows]
        assert sorted(there) == sorted(self.held.items())
        assert sum(people.values()) == sum(said[2] for said in self.held.values()), "nobody is left behind"

    @invariant()
    def what_may_count_otherwise_is_marked(self):
        marked = set(CountMark.objects.values_list("month", "category__code"))
        now = self.true()
        differing = {key[1:3] for key in now.keys() | self.counted.keys() if now[key] != self.counted[key]}
        assert differing <= marked

    def teardown(self):
        """At the end all is drained, and a recount from scratch finds nothing to change."""
        self.drain()
        before = figures()
        recount = counting.recount(by=None, start=date(2023, 12, 1), end=date(2025, 1, 1), now=NOW)
        assert recount.changed == 0
        after = figures()
        assert before.items() <= after.items()
        assert stated(after) == self.expected()


def figures():
    """Stored figures by (indicator, month, unit)."""
    rows = Measurement.objects.values_list("indicator__code", "month", "unit__code", "numerator")
    return {tuple(key): n for *key, n in rows}


def stated(found):
    return {key: n for key, n in found.items() if n}


def content(said):
    return said["category"], said["occurred_on"], len(said.get("victims") or ()), said["place"]


@pytest.mark.django_db
def test_any_sequence_ends_as_the_rules_say(country, account):
    robbery = Category.objects.get(code="ROBBERY")
    EventRule.objects.filter(indicator=country.rate).update(measure=Measure.EVENTS, category=robbery)
    Source.country, Source.account = country, account
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        Source,
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=checks, database=None
        ),
    )
