"""The home page is each role's own work; search finds what a person may see, accents aside."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone, translation

from incidents.connect import actions as connectors
from incidents.connect import letters
from incidents.feed.items import Fault
from indicators import actions
from indicators.models import Batch, Measurement, MeasurementState, StaleMark
from scorecard import home
from scorecard.models import Card
from scorecard.spread import level_of
from tests.factories import MONTH, NOW, small_country
from units.actions import grant_role
from units.models import Territory, Unit
from units.permissions import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
BEFORE = MONTH.replace(month=MONTH.month - 1)
UNIT, OTHER, DISTRICT, ZONE = "PN-01D01C01", "PN-01D01C02", "PN-01D01", "PN-Z1"
AGO = timezone.now() - timedelta(days=7)


@pytest.fixture
def country():
    return small_country(zones=2, districts=2, circuits=2, months=14)


@pytest.fixture
def visit(country, client):
    def of(who, path="/"):
        client.force_login(country.people[who])
        client.cookies["django_language"] = "en"
        return client.get(path)

    return of


def sections(country, who, since=AGO):
    return {one.kind: one for one in home.sections(country.people[who], now=timezone.now(), since=since)}


def enter(country, value, unit=UNIT, code="PN.HOMICIDES", by="approver", when=None):
    outcome = actions.record(
        by=country.people[by], months=np.array([MONTH], "datetime64[M]"), indicators=[country.indicators[code].pk],
        units=[country.units[unit].pk], numerators=[value], source="entry", now=when or timezone.now(),
    )  # fmt: skip
    assert outcome.is_written


# Who sees what -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "kinds"),
    [("reporter", ["commander"]), ("approver", ["commander"]), ("viewer", ["leadership"]), ("minister", ["leadership"]),
     ("analyst", ["analyst"]), ("auditor", ["auditor"]), ("administrator", ["administrator"]),
     ("unit_administrator", ["administrator"]), ("integrator", ["administrator"]), ("nobody", [])],
)  # fmt: skip
def test_a_home_page_is_the_roles_own_work(country, visit, who, kinds):
    response = visit(who)
    assert response.status_code == 200
    assert [section.kind for section in response.context["sections"]] == kinds


def test_several_roles_get_their_sections_in_order_of_work(country, visit):
    for role in (Role.AUDITOR, Role.REPORTER):
        grant_role(by=None, user=country.people["viewer"], role=role, unit=country.units[UNIT])
    response = visit("viewer")
    assert [s.kind for s in response.context["sections"]] == ["commander", "leadership", "auditor"]
    text = response.content.decode()
    assert text.count("<h1") == 1


def test_the_same_work_in_two_units_opens_with_the_higher_and_names_the_other(country, visit):
    grant_role(by=None, user=country.people["reporter"], role=Role.REPORTER, unit=country.units["PN-02D01"])
    section = visit("reporter").context["sections"][0]
    assert (section.unit.code, [u.code for u in section.others]) == ("PN-02D01", [UNIT])


def test_someone_without_a_role_is_told_whom_to_ask(country, visit):
    text = visit("nobody").content.decode()
    assert "You have no role yet" in text
    assert "Administrator Prueba" in text


def test_the_page_is_for_people_who_are_signed_in(client, db):
    assert client.get("/").status_code == 302


# Commander -----------------------------------------------------------------------------------------------------------


def test_a_commander_sees_what_is_still_to_enter_and_by_when(country, visit):
    enter(country, 30.0)
    Measurement.objects.filter(month=MONTH, unit=country.units[UNIT]).exclude(indicator__code="PN.HOMICIDES").delete()
    about = sections(country, "reporter")["commander"].about
    assert [line.code for line in about["missing"]] == ["PN.PATROLS", "PN.RESPONSE", "PN.SOLVED"]
    assert about["days_left"] < 0
    text = visit("reporter").content.decode()
    assert "3 figures of October 2023 are still to enter." in text
    assert f"/units/{UNIT}/entry/?month=2023-10" in text


def test_an_approver_sees_how_much_waits(country, visit):
    waiting = Measurement.objects.filter(
        month=MONTH, is_provisional=True, unit__path__contains=[country.units[DISTRICT].pk]
    )
    about = sections(country, "approver")["commander"].about
    assert about["waiting"] == waiting.count() > 0
    assert f"/units/{DISTRICT}/approve/?month=2023-10" in visit("approver").content.decode()


def test_lights_are_the_cards_own_the_worst_first(country):
    about = sections(country, "approver")["commander"].about
    attained = [shown.line.driving.attainment for shown in about["lights"]]
    assert attained == sorted(attained)
    card = Card.objects.get(unit=country.units[DISTRICT], month=MONTH)
    assert about["lights"][0].line.about["position"] == card.worst_position


def test_news_are_what_others_said_since_the_last_visit(country):
    enter(country, 31.0, when=timezone.now() - timedelta(hours=2))
    enter(country, 32.0, unit=OTHER, by="reporter")
    enter(country, 33.0, unit="PN-02D01C01")
    seen = sections(country, "reporter")["commander"].about["news"]
    assert [(one.unit.code, one.by) for one in seen] == [(UNIT, "Approver Prueba")]
    assert seen[0].text.endswith("→ 31")
    assert sections(country, "reporter", since=timezone.now())["commander"].about["news"] == []


@pytest.mark.parametrize(("language", "text"), [("en", "12,515.5 / 1,733"), ("es", "12.515,5 / 1.733")])
def test_news_print_a_figure_as_the_reader_does(language, text):
    with translation.override(language):
        assert home.said(Measurement(numerator=12515.5, denominator=1733)) == text
        assert home.said(Measurement(numerator=0.00125)) in ("0.00125", "0,00125")
        assert home.said(Measurement(state=MeasurementState.NOT_APPLICABLE)) in ("not applicable", "no aplica")


def test_a_visit_begins_anew_after_half_an_hour(country, visit, client, monkeypatch):
    first = visit("reporter").context["since"]
    assert visit("reporter").context["since"] == first  # another page of the same visit
    from scorecard.views import home as view

    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(view.timezone, "now", lambda: later)
    assert timedelta(0) < later - visit("reporter").context["since"] < timedelta(hours=2)
    assert later - visit("approver").context["since"] == timedelta(days=7)  # the cookie is another person's


# Leadership ----------------------------------------------------------------------------------------------------------


def test_leadership_reads_the_state_in_a_sentence_its_objectives_and_who_is_worst(country, visit):
    about = sections(country, "viewer")["leadership"].about
    assert about["answer"].startswith("Zone 1 reaches ")
    assert [objective.about["number"] for _name, objective in about["objectives"]] == ["1", "2"]
    assert all(child.band.name in ("red", "amber") for child in about["worst"])


def test_movers_are_those_whose_attainment_changed_by_a_point_or_more(country):
    about = sections(country, "viewer")["leadership"].about
    rose, fell = about["rose"], about["fell"]
    assert all(mover.change >= 1 for mover in rose)
    assert all(mover.change <= -1 for mover in fell)
    for moved in (rose, fell):
        assert moved == sorted(moved, key=lambda mover: (mover.is_chance is True, -abs(mover.change)))
    assert rose or fell


def moved(country, count, target=40.0):
    """Whether a month of so many, after one of forty and a year of them, is told from chance, and the lists."""
    month, before = (home.reading_of(country.people["viewer"], country.units[ZONE], at) for at in (MONTH, BEFORE))
    for reading, value in ((month, count), (before, 40.0)):
        line = next(line for line in reading.lines if line.about["code"] == "PN.HOMICIDES")
        line.month = line.month._replace(value=value, target=target, attainment=100 * (2 - value / target), marks=0)
        line.to_date = line.to_date._replace(value=10 * value, target=10 * target, attainment=line.month.attainment)
        line.values = [40.0] * 12 + [value]
        line.is_by_month = True
    return home.movers(month, before, NOW.date())


def test_a_mover_that_may_be_chance_says_so_and_comes_after_those_that_are_not(country):
    _rose, fell = moved(country, 50.0)
    assert next(m for m in fell if m.line.about["code"] == "PN.HOMICIDES").is_chance is True
    _rose, fell = moved(country, 95.0)
    assert (fell[0].line.about["code"], fell[0].is_chance) == ("PN.HOMICIDES", False)


def test_a_rate_over_the_population_moves_by_chance_as_the_events_behind_it_do(country):
    readings = [home.reading_of(country.people["viewer"], country.units[ZONE], month) for month in (MONTH, BEFORE)]
    people = level_of(readings[0].unit, MONTH, NOW.date()).people[country.units[ZONE].pk, MONTH.year]

    def move(count):
        for reading, events in zip(readings, (count, 40), strict=True):
            line = next(line for line in reading.lines if line.about["code"] == "PN.HOMICIDERATE")
            value, target = events * 100_000 / people, 40 * 100_000 / people
            line.month = line.month._replace(value=value, target=target, attainment=200 - 100 * value / target, marks=0)
            line.values, line.is_by_month = [40 * 100_000 / people] * 12 + [value], True
        _rose, fell = home.movers(*readings, NOW.date())
        return next(mover for mover in fell if mover.line.about["code"] == "PN.HOMICIDERATE").is_chance

    assert (move(50), move(95)) == (True, False)


def test_a_month_that_runs_has_movers_without_a_word_on_chance(country):
    now = MONTH.replace(day=20)
    reading = home.reading_of(country.people["viewer"], country.units[ZONE], MONTH)
    rose, fell = home.movers(reading, home.reading_of(country.people["viewer"], country.units[ZONE], BEFORE), now)
    assert {mover.is_chance for mover in (*rose, *fell)} <= {None}


# Analyst, auditor, administrator -------------------------------------------------------------------------------------


def test_a_series_far_from_its_twelve_months_is_named(country):
    from scorecard.refresh import drain

    assert "PN.HOMICIDES" not in [m.line.about["code"] for m in sections(country, "analyst")["analyst"].about["moved"]]
    enter(country, 400.0)
    drain(now=NOW)
    moved = sections(country, "analyst")["analyst"].about["moved"]
    assert moved[0].line.about["code"] == "PN.HOMICIDES"
    assert moved[0].deviations > 2


def test_an_auditor_sees_changes_and_what_is_provisional(country, visit):
    enter(country, 31.0)
    section = sections(country, "auditor")["auditor"]
    assert any(change.model == "MeasurementPast" for change in section.about["changes"])
    waiting = Measurement.objects.filter(is_provisional=True, unit__path__contains=[country.units["PN-EC"].pk])
    assert sum(n for _month, _institution, n in section.about["waiting"]) == waiting.count()


def test_an_administrator_sees_people_quality_loads_and_marks(country, visit):
    Batch.objects.create(
        kind="values", name="october.csv", by=country.people["reporter"], at=NOW, report={"created": 3}
    )
    about = sections(country, "administrator")["administrator"].about
    assert (about["people"], about["grants"]) == (8, 8)
    assert about["stale"] == 0
    quality = about["quality"][0]
    card = Card.objects.get(unit=country.units["PN-EC"], month=MONTH)
    assert (quality.reported, quality.due) == (sum(card.reported), sum(card.due))
    assert [(one.batch.name, one.created, one.changed) for one in about["batches"]] == [("october.csv", 3, 0)]
    enter(country, 31.0)
    assert StaleMark.objects.exists()
    assert "1 column of figures waits" in visit("administrator").content.decode()


def test_who_runs_feeds_sees_which_need_a_look_and_what_waits(country, visit):
    text = visit("integrator").content.decode()
    assert "No institution sends events yet" in text
    made = connectors.add(
        by=None, institution=country.institutions["PN"], name="calls", url="https://feeds.example.org/calls",
        paging="cursor", now=NOW,
    )  # fmt: skip
    refused = [({"external_id": "A-1", "category": "NO"}, "A-1", Fault("category", "unknown_category", "NO"))]
    letters.keep(account=made.account, institution=made.institution, refused=refused, now=NOW, connector=made)
    type(made).objects.update(failures=3)
    text = visit("integrator").content.decode()
    assert "1 feed needs a look" in text
    assert "1 refused item waits for a person." in text
    assert "feeds" not in sections(country, "unit_administrator")["administrator"].about


@pytest.mark.parametrize("who", ["reporter", "approver", "viewer", "analyst", "auditor", "administrator"])
def test_a_home_page_asks_as_often_in_a_larger_country(who, client, count_queries):
    counts = []
    for size in (1, 3):
        with transaction.atomic():
            country = small_country(zones=2, districts=2, circuits=size, months=13)
            client.force_login(country.people[who])
            with count_queries() as queries:
                assert client.get("/").status_code == 200
            counts.append(len(queries.page))
            transaction.set_rollback(True)
    assert counts[0] == counts[1] <= 40, counts


# Search --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def named(country):
    Unit.objects.filter(code=UNIT).update(name="Unión Cañaribamba")
    Territory.objects.filter(code="01D01C02").update(name="Bolívar Ñuñoa")
    return country


@pytest.mark.parametrize(
    ("q", "codes"),
    [("canaribamba", [UNIT]), ("CAÑARI", [UNIT]), ("union canari", [UNIT]), ("bolivar", [OTHER]),
     ("nuñoa bolí", [OTHER]), ("01D01C02", [OTHER]), ("pn-01d01c", [UNIT, OTHER]), ("zzz", []), ("100%", [])],
)  # fmt: skip
def test_search_takes_codes_and_names_without_accents(named, visit, q, codes):
    response = visit("administrator", f"/search?q={q.replace('%', '%25')}")
    assert response.status_code == 200
    assert [unit.code for unit in response.context["units"]] == codes


def test_search_shows_only_what_one_may_see(named, visit):
    assert [u.code for u in visit("reporter", "/search?q=circuito").context["units"]] == [UNIT]  # by its territory
    assert [u.code for u in visit("reporter", "/search?q=canaribamba").context["units"]] == [UNIT]
    assert visit("nobody", "/search?q=canaribamba").context["units"] == []
    assert visit("nobody", "/search?q=homicid").context["sheets"] == []


def test_search_finds_indicators_by_their_names(named, visit):
    found = visit("viewer", "/search?q=homicidios").context["sheets"]
    assert [(s.indicator.code, s.unit_code) for s in found] == [("PN.HOMICIDERATE", ZONE), ("PN.HOMICIDES", ZONE)]


def test_a_whole_code_opens_its_unit(named, visit):
    response = visit("administrator", f"/search?q={UNIT.lower()}")
    assert (response.status_code, response["Location"]) == (302, f"/units/{UNIT}/")


def test_the_box_offers_options(named, client):
    client.force_login(named.people["administrator"])
    text = client.get("/search?q=canari", headers={"hx-request": "true"}).content.decode()
    assert text.strip() == f'<option value="{UNIT}">Unión Cañaribamba · Policía</option>'
    assert client.get("/search?q=c", headers={"hx-request": "true"}).content.decode().strip() == ""


@pytest.mark.parametrize("who", ["reporter", "approver", "minister", "analyst", "auditor", "administrator", "nobody"])
def test_no_serious_barrier_on_a_home_page(
    who, transactional_db, sign_in, live_server, axe_violations, outside_requests
):
    country = small_country(zones=1, districts=1, circuits=2, months=13)
    page = sign_in(country.people[who])
    page.goto(live_server.url)
    assert axe_violations(page) == []
