"""Who changed what: every change with its author, reason, old and new values, and only inside the auditor's tree."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.urls import reverse
from django.utils import translation

from indicators.actions import record, set_targets
from indicators.models import MeasurementPast
from scorecard import changes, trail
from scorecard.changes import value_words
from scorecard.trail import Asked
from tests.factories import small_country
from units import actions
from units.models import User
from units.permissions import Role

pytestmark = pytest.mark.django_db
NOW = datetime(2023, 11, 21, 15, tzinfo=UTC)


@pytest.fixture
def country(english):
    return small_country(months=2, cards=False)


@pytest.fixture
def auditor(country):
    return country.people["auditor"]


@pytest.fixture
def zone_auditor(country):
    user = User.objects.create(username="zone", first_name="Zone", last_name="Auditor")
    actions.grant_role(by=None, user=user, role=Role.AUDITOR, unit=country.unit("PN-Z1"))
    return user


def enter(country, value, *, unit="PN-01D01C01", reason="", now=NOW, by="reporter"):
    outcome = record(
        by=country.people[by],
        months=["2023-10"],
        indicators=[country.indicators["PN.PATROLS"].pk],
        units=[country.unit(unit).pk],
        numerators=[value],
        source="entry",
        now=now,
        reason=reason,
    )
    assert not outcome.refused


def test_a_change_says_who_why_and_what_it_was_before(country, auditor):
    by = country.people["administrator"]
    actions.rename_unit(by=by, unit=country.unit("PN-Z1"), name="Zona Uno", reason="new decree")
    [change], _more = trail.read(auditor, Asked(model="Unit"), count=1)
    assert (change.name, change.kind, change.by, change.reason) == ("PN-Z1 Zona Uno", "update", str(by), "new decree")
    assert next((f.before, f.after) for f in change.fields) == ("Zona 1", "Zona Uno")


def test_a_figure_replaced_is_kept_with_its_reason(country, auditor):
    enter(country, 7)
    enter(country, 9, reason="a late report", now=NOW.replace(hour=16))
    enter(country, float("nan"), reason="not ours", now=NOW.replace(hour=17))
    found, _more = trail.read(auditor, Asked(model="MeasurementPast"), count=3)
    said = [
        (c.kind, c.reason, next((f.before, f.after) for f in c.fields if f.label == "Numerator")) for c in found[:2]
    ]
    assert said == [("delete", "not ours", ("9", "")), ("update", "a late report", ("7", "9"))]
    assert found[0].name == "PN.PATROLS in PN-01D01C01, October 2023"


def test_figures_that_nobody_changed_can_be_left_out(country, auditor, client):
    enter(country, 7)
    enter(country, 9, now=NOW.replace(hour=16))
    MeasurementPast.objects.update(replaced_by_id=None)  # as counts of events are
    enter(country, 11, now=NOW.replace(hour=17))
    asked = Asked(model="MeasurementPast", without_counts=True)
    counts = [len(trail.read(auditor, one, count=9)[0]) for one in (Asked(model="MeasurementPast"), asked)]
    assert counts[1] == 1 < counts[0]
    client.force_login(auditor)
    address = "/audit/?model=MeasurementPast&format=csv"
    lines = [len(client.get(address + more).content.splitlines()) for more in ("", "&without_counts=on")]
    assert lines[1] < lines[0]


def test_a_target_replaced_is_kept(country, auditor):
    nan = float("nan")
    set_targets(
        by=country.people["administrator"],
        months=["2023-10"],
        indicators=[country.indicators["PN.PATROLS"].pk],
        units=[country.unit("PN-01D01C01").pk],
        values=[11.0],
        low=[nan],
        high=[nan],
        baseline=[nan],
        now=NOW,
        reason="agreed",
    )
    [change], _more = trail.read(auditor, Asked(model="TargetPast"))
    assert [(f.label, f.before, f.after) for f in change.fields] == [("Target", "8", "11")]
    assert change.by == str(country.people["administrator"])


def test_nobody_reads_beyond_the_tree_that_they_audit(country, zone_auditor):
    for unit in ("PN-Z1", "PN-Z2"):
        actions.rename_unit(by=None, unit=country.unit(unit), name=f"New {unit}")
    enter(country, 7, unit="PN-02D01C01")
    enter(country, 9, unit="PN-02D01C01")
    actions.edit_person(by=None, user=country.people["minister"], first_name="A", last_name="B")
    actions.edit_person(by=None, user=country.people["reporter"], first_name="C", last_name="D")
    found, _more = trail.read(zone_auditor, Asked(), count=5000)
    names = {change.name for change in found}
    assert any("PN-Z1" in name for name in names)
    assert not any("PN-Z2" in name or "02D01" in name or "minister" in name for name in names)
    assert any("reporter" in name for name in names)
    assert not {c.model for c in found} & {"Plan", "Objective", "SheetVersion", "Indicator", "Institution", "Territory"}


def test_the_head_of_an_institution_reads_its_sheets_and_plans_and_no_others(country, auditor):
    found, _more = trail.read(auditor, Asked(), count=5000)
    assert {"Plan", "Objective", "PlanLine", "SheetVersion", "Indicator", "Institution"} <= {c.model for c in found}
    assert not any("EST" in change.name for change in found)
    assert "Territory" not in {change.model for change in found}


def test_filters_by_object_person_and_days(country, auditor):
    by = country.people["administrator"]
    actions.rename_unit(by=by, unit=country.unit("PN-Z1"), name="Zona Uno")
    actions.rename_unit(by=None, unit=country.unit("PN-Z2"), name="Zona Dos")
    names = lambda asked: [c.name.split()[0] for c in trail.read(auditor, asked, count=200)[0]]  # noqa: E731
    assert names(Asked(model="Unit", person=by)) == ["PN-Z1"]
    assert set(names(Asked(model="Unit", words="z2"))) == {"PN-Z2"}
    today = datetime.now(UTC).astimezone().date()
    assert names(Asked(model="Unit", person=by, first=today.replace(year=today.year - 1)))
    assert not names(Asked(last=date(2001, 1, 1)))


def test_pages_follow_one_another_without_gap_or_repetition(country, auditor):
    whole, more = trail.read(auditor, Asked(), count=5000)
    assert not more
    pages = [trail.read(auditor, Asked(), start=n, count=40)[0] for n in range(0, len(whole), 40)]
    keys = [(c.model, c.at, c.pk, c.kind, c.name) for page in pages for c in page]
    assert keys == [(c.model, c.at, c.pk, c.kind, c.name) for c in whole]
    assert len(whole) > 100


@pytest.mark.parametrize(
    ("person", "status"),
    [("auditor", 200), ("administrator", 200), ("unit_administrator", 403), ("viewer", 403), ("minister", 403)],
)
def test_the_page_is_for_those_who_audit(client, country, person, status):
    client.force_login(country.people[person])
    assert client.get(reverse("audit")).status_code == status


def test_the_page_asks_as_often_for_a_longer_history(client, country, auditor, count_queries):
    client.force_login(auditor)

    def asked():
        with count_queries() as queries:
            client.get(reverse("audit") + "?model=Unit")
        return len(queries.page)

    def rename(n):
        actions.rename_unit(by=country.people["administrator"], unit=country.unit("PN-Z1"), name=f"Zona {n}")

    rename(0)
    before = asked()
    for n in range(1, 60):
        rename(n)
    assert asked() == before


def test_errors_name_the_field_and_the_rule(client, country, auditor):
    client.force_login(auditor)
    address = reverse("audit") + "?person=ghost&first=2023-05-01&last=2023-04-01"
    form = client.get(address, headers={"accept-language": "en"}).context["form"]
    assert "Nobody signs in as ghost." in form.errors["person"]
    assert "last" in form.errors


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_list_leaves_as_a_file_with_its_filters(client, country, auditor, kind):
    actions.rename_unit(by=country.people["administrator"], unit=country.unit("PN-Z1"), name="=Zona", reason="decree")
    client.force_login(auditor)
    address = f"{reverse('audit')}?model=Unit&q=PN-Z1&format={kind}"
    response = client.get(address, headers={"accept-language": "en"})
    assert response.headers["content-disposition"].endswith(f'.{kind}"')
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert ["# Name or code", "PN-Z1"] in rows
        assert any(row[6:] == ["Zona 1", "'=Zona", "decree"] for row in rows)


def test_instants_are_told_in_the_countrys_time(english):
    assert value_words(datetime(2023, 10, 8, 1, 5, tzinfo=UTC)) == "10/07/2023 8:05 p.m."


def test_every_column_of_a_change_has_words():
    with translation.override("es"):
        english = {
            column.name
            for model in changes.tracked_events().values()
            for column in changes._columns(model.pgh_tracked_model, model)
            if str(changes.LINKS.get(column.name, column.verbose_name)) == column.name.replace("_", " ")
        }
    assert english - changes.HIDDEN == {"factor", "plan", "variable"}  # the same in both languages


def test_a_change_is_named_whatever_the_gender_of_what_changed(country, auditor):
    actions.rename_unit(by=None, unit=country.unit("PN-Z1"), name="Zona Uno")
    with translation.override("es"):
        [change], _more = trail.read(auditor, Asked(model="Unit"), count=1)
        assert (change.label, change.kind_word) == ("unidad", "cambio")
