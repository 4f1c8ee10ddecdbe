"""The sample in the database: complete, real where it says so, resumed and never doubled, its accounts only its own."""

import stat
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, Sum
from pghistory.core import event_models

from incidents import counting
from incidents.models import EventRule, Incident, IncidentKey, Publication, Victim
from indicators.models import Assignment, Batch, Indicator, Measurement, SheetVersion, StaleMark, Target
from scorecard import context, engines
from scorecard.models import Card, Plan, PlanStatus, Position
from scorecard.sample import accounts, figures, institutions, load, recent, state, structure
from scorecard.sample.sheets import SHEETS
from scorecard.sample.territories import SOURCE_SIMULATED
from units.models import Boundary, Level, Population, Territory, Unit, User
from units.permissions import Role

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("sample")]  # loaded once, in one worker
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=ZoneInfo("America/Guayaquil"))
YEAR, PEOPLE = 2026, 18_243_816
LAST, SINCE = date(YEAR, 11, 1), date(YEAR, 9, 1)


@pytest.fixture(scope="module")
def made():
    return figures.build(NOW)


@pytest.fixture(scope="module")
def sample(made, django_db_setup, django_db_blocker):
    """The last year of the sample, loaded once for these tests and taken back after them. What the load said."""
    said = []
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(figures, "build", lambda now, seed: made)
        loading = load.Loading(now=NOW, password=accounts.password_hash(), count=1, say=said.append)
        load.load(loading)
        with transaction.atomic():
            yield said
            transaction.set_rollback(True)
        transaction.set_rollback(True)


@pytest.fixture
def taken_back(sample):
    """What the test changes is undone, for the next one to find the sample as it was loaded."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def national(code):
    """(month's, year to date's) value of an indicator on the nation's card of the running month."""
    card = Card.objects.get(month=LAST, unit__code="PN-EC")
    at = Position.objects.get(institution__code="PN", indicator__code=code).position
    return card.value[at], card.to_date_value[at]


def test_every_part_of_the_frame_is_there(sample):
    assert (Unit.objects.count(), Territory.objects.count()) == (3060, 2969)
    assert (SheetVersion.objects.count(), User.objects.count()) == (len(SHEETS), len(institutions.PEOPLE))
    assert Boundary.objects.filter(is_schematic=True).count() == Territory.objects.filter(is_delimited=True).count()
    assert Population.objects.get(territory__code="EC", year=YEAR).people == PEOPLE
    commander = User.objects.get(username="comandante.circuito")
    held = commander.unituserobjectpermission_set.values_list("permission__codename", "content_object__code")
    assert list(held) == [(f"hold_{Role.REPORTER}", "PN-09D08C02")]


def test_what_is_due_is_what_the_generator_made_figures_for(sample, made):
    indicators, units = structure.keys()
    due = made.assignments
    columns = (indicators[due["indicator"]], units[due["unit"]], due["from_month"])
    expected = set(zip(*(column.tolist() for column in columns), strict=True))
    assert set(Assignment.objects.values_list("indicator_id", "unit_id", "from_month")) == expected


def test_all_figures_and_incidents_are_marked_as_simulated(sample):
    batch = state.batch_of_sample()
    assert not Batch.objects.filter(is_simulated=False).exists()
    told = Measurement.objects.exclude(source=counting.SOURCE)
    assert set(told.values_list("source", "batch_id").distinct()) == {(SOURCE_SIMULATED, batch.pk)}
    assert set(Publication.objects.values_list("batch", flat=True)) == {batch.pk}
    assert not Target.objects.exclude(batch_id=batch.pk).exists()


def test_the_nations_card_shows_the_years_total_so_far_and_the_rate_of_its_people(sample, made):
    victims = (made.victims["date"] >= np.datetime64(f"{YEAR}-01-01")).sum()
    assert Victim.objects.count() == victims
    assert national("PN.HOMICIDES")[1] == victims
    assert national("PN.HOMICIDERATE")[1] == pytest.approx(victims / PEOPLE * 100_000)
    assert Incident.objects.count() == victims + len(made.events)


def test_what_feeds_brought_is_of_its_source_has_an_identifier_and_is_told_in_hours_of_the_country(sample, made):
    assert IncidentKey.objects.count() == len(made.events)
    first = Incident.objects.filter(source__code="ECU", occurred_on__gte="2026-11-02").order_by("received_at").first()
    assert first.received_at.astimezone(NOW.tzinfo).time() == first.occurred_at
    assert first.received_at.astimezone(NOW.tzinfo).date() == first.occurred_on
    sources = dict(Incident.objects.filter(occurred_on__gte=SINCE).values_list("source__code").annotate(Count("id")))
    assert set(sources) == {"PN", "ECU"}


def test_counting_the_incidents_again_gives_the_same_figures(sample):
    again = counting.recount(by=None, start=date(YEAR, 1, 1), end=date(YEAR, 12, 1), now=NOW)
    assert (again.created, again.changed, dict(again.without_unit)) == (0, 0, {})
    homicides = Assignment.objects.filter(indicator__code__in=structure.HOMICIDES).count()
    assert again.unchanged > 11 * homicides


def test_event_rules_hold_from_the_first_month_that_the_feeds_cover_whole(sample):
    rules = EventRule.objects.filter(to_month=None)
    assert set(rules.values_list("indicator__code", flat=True)) == set(recent.COUNTED)
    assert set(rules.values_list("from_month", flat=True)) == {SINCE}
    counted = Measurement.objects.filter(indicator__code__in=recent.COUNTED, month__gte=SINCE)
    assert set(counted.values_list("source", flat=True)) == {counting.SOURCE}
    assert set(counted.values_list("month", flat=True)) == {SINCE, date(YEAR, 10, 1), LAST}


def test_cards_stand_for_every_unit_and_month_that_has_begun_and_the_last_is_provisional(sample):
    assert Card.objects.count() == 11 * Unit.objects.count()
    assert not StaleMark.objects.exists()
    assert Card.objects.get(month=LAST, unit__code="PN-EC").is_provisional
    at = Position.objects.get(institution__code="PN", indicator__code="PN.WANTED").position
    waiting = Card.objects.get(month=LAST, unit__code="PN-09D08C02")
    assert (waiting.due[at], waiting.reported[at]) == (1, 0)  # the commander finds work to do
    assert Card.objects.filter(month=LAST, unit__code="EST-EC").exclude(light=0).exists()


def test_every_targets_parent_is_the_sum_of_its_children_for_counts(sample):
    indicator = Indicator.objects.get(code="PN.ROBBERY.HOMES")
    at = Target.objects.filter(indicator=indicator, month=LAST)
    nation = at.get(unit__code="PN-EC").value
    for level in (Level.ZONE, Level.DISTRICT, Level.SUBCIRCUIT):
        assert at.filter(unit__territory__level=level).aggregate(Sum("value"))["value__sum"] == pytest.approx(nation)


def test_plans_are_approved_and_the_weights_of_siblings_add_up(sample):
    plans = Plan.objects.prefetch_related("objectives__lines", "objectives__children")
    assert {(plan.year, plan.status, plan.approved_by.username) for plan in plans} == {
        (YEAR, PlanStatus.APPROVED, "administrador")
    }
    assert len(plans) == len(institutions.INSTITUTIONS)
    for plan in plans:
        assert sum(one.weight for one in plan.objectives.all() if one.parent_id is None) == pytest.approx(100)
        for one in plan.objectives.all():
            below = [*one.lines.all(), *one.children.all()]
            assert sum(part.weight for part in below) == pytest.approx(100)


def test_the_history_holds_each_row_once_and_why_it_came(sample):
    for event in event_models():
        tracked = event.pgh_tracked_model
        assert event.objects.filter(pgh_label="insert").count() == tracked.objects.count(), tracked
    event = next(one for one in event_models() if one.pgh_tracked_model is Assignment)
    assert set(event.objects.values_list("pgh_context__metadata__reason", flat=True)) == {"load_sample"}


def test_the_second_run_does_nothing(sample, count_queries, capsys):
    with count_queries() as queries:
        call_command("load_sample")
    assert len(queries) == 1
    assert capsys.readouterr().out.count("\n") == 1


def test_a_load_that_was_cut_off_goes_on_where_it_stopped(taken_back):
    batch = state.batch_of_sample()
    batch.report.pop("is_complete")
    batch.save()
    assert not state.is_loaded()
    assert not state.holds_another()
    loading = load.Loading(now=NOW, password="!", count=2)
    assert load._missing(loading, batch) == [2025]
    before = Publication.objects.count()
    load.add_incidents(loading, batch, folder=None)  # no second publication: it would ask for the folder
    assert Publication.objects.count() == before


def test_each_phase_is_told_with_its_time(sample):
    assert any("incidents" in line for line in sample)
    assert any(line.endswith(" s)") and f"{YEAR}: " in line for line in sample)


# Accounts ------------------------------------------------------------------------------------------------------------


def test_every_role_and_level_has_an_account_that_is_shown(sample):
    found = accounts.listed()
    roles = {role for account in found for role, _ in account.roles}
    assert roles == set(Role)
    assert [account.username for account in found] == list(accounts.SHOWN)
    assert len(accounts.listed(every=True)) == len(institutions.PEOPLE)


def test_the_password_is_random_private_and_opens_the_accounts(sample, client):
    path = engines.var_dir() / accounts.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text()) >= 12
    assert accounts.can_sign_in()
    assert client.login(username="ministra", password=path.read_text())


def test_without_the_file_of_this_machine_the_accounts_stay_shut(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    assert not accounts.can_sign_in()
    call_command("accounts")
    said = capsys.readouterr().out
    assert "ministra" in said
    assert "--open" in said
    assert not (tmp_path / accounts.FILE).exists()


def test_accounts_are_closed_and_opened_again(taken_back, client, capsys):
    call_command("accounts", "--close")
    assert not accounts.can_sign_in()
    assert not client.login(username="ministra", password=accounts.password())
    call_command("accounts", "--open")
    assert client.login(username="ministra", password=accounts.password())
    assert accounts.password() in capsys.readouterr().out


def test_the_list_says_what_each_may_do_and_where(sample, capsys):
    call_command("accounts", "--all")
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if "distrito.nueva.prosperina" in line)
    assert "Distrito Nueva Prosperina" in line
    assert len(lines) == len(institutions.PEOPLE) + 1


# Simulated, and not --------------------------------------------------------------------------------------------------


def test_pages_say_that_the_data_are_simulated(sample, client):
    context.forget()
    assert b'class="simulated"' in client.get("/accounts/login/").content
    context.forget()


def test_years_of_days():
    assert load.years_of(np.array(["2014-01-01", "2023-12-31"], "M8[D]")).tolist() == [2014, 2023]
