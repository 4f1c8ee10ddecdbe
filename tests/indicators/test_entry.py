"""The entry page: what is due, saved cell by cell, with its light at once; and approval of what was entered."""

import json
import threading
from datetime import date

import numpy as np
import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from indicators import actions, entry, entry_cell
from indicators.codes import Light, State, light_of, state_of
from indicators.models import Measurement, MeasurementPast, StaleMark
from tests.factories import MONTH, NOW, small_country
from units.models import Unit, UnitPeriod

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
UNIT, OTHER, DISTRICT = "PN-01D01C01", "PN-01D01C02", "PN-01D01"
TODAY = NOW.date()


@pytest.fixture
def country():
    made = small_country(zones=1, districts=2, circuits=2, months=14, cards=False, missing=0)
    Measurement.objects.filter(month=MONTH, unit__code=UNIT).delete()
    StaleMark.objects.all().delete()
    return made


@pytest.fixture
def desk(country, client):
    """The page as some person; the reporter by default."""

    class Page:
        path = f"/units/{UNIT}/entry/?month=2023-10"

        def sign_in(self, who="reporter"):
            client.force_login(country.people[who])
            client.cookies["django_language"] = "en"
            return self

        def get(self, path=None):
            return client.get(path or self.path)

        def post(self, data, path=None):
            return client.post(path or self.path, data)

        def save(self, code, numerator="", denominator="", state="", was=None, unit=UNIT, **more):
            """Save a cell as the page's script does. Returns (status, answer)."""
            key = f"{country.indicators[code].pk}-{country.units[unit].pk}"
            if was is None:
                was = entry.stamp_of(figure(country, code, unit))
            data = {"cell": key, f"n-{key}": numerator, f"d-{key}": denominator, f"w-{key}": was, **more}
            if state:
                data[f"s-{key}"] = state
            answer = client.post(self.path, data)
            return answer.status_code, json.loads(answer.content)

    return Page().sign_in()


def figure(country, code="PN.HOMICIDES", unit=UNIT, month=MONTH):
    return Measurement.objects.filter(month=month, indicator__code=code, unit__code=unit).first()


def line(country, code="PN.HOMICIDES", unit=UNIT):
    one = Unit.objects.select_related("territory", "institution").get(code=unit)
    return entry.line_of(one, country.indicators[code].pk, MONTH, today=TODAY)


# The grid ------------------------------------------------------------------------------------------------------------


def test_the_grid_holds_what_is_due_by_hand_and_its_comparisons(country):
    groups = entry.grid([country.units[UNIT]], MONTH, today=TODAY)
    assert [one.code for one in groups[0].lines] == ["PN.HOMICIDES", "PN.PATROLS", "PN.RESPONSE", "PN.SOLVED"]
    one = line(country)
    assert one.last_month == figure(country, month=date(2023, 9, 1)).numerator
    assert one.last_year == figure(country, month=date(2022, 10, 1)).numerator
    assert (one.target.value, one.figure, one.stamp) == (9.0, None, "")
    solved = line(country, "PN.SOLVED")
    before = figure(country, "PN.SOLVED", month=date(2023, 9, 1))
    assert solved.last_month == pytest.approx(100 * before.numerator / before.denominator)


def test_the_light_is_the_cards_own(country):
    """A leaf's line on the entry page and on its scorecard are one figure."""
    from scorecard.models import Card
    from scorecard.queries import cards_of, unit_here
    from scorecard.reading import Reading
    from scorecard.refresh import refresh

    refresh(now=NOW)
    unit = country.units[OTHER]
    assert Card.objects.filter(unit=unit, month=MONTH).exists()
    here = unit_here(country.people["administrator"], OTHER)
    lines = {card.about["code"]: card for card in Reading(here, cards_of(here.unit, MONTH)).lines}
    for one in entry.grid([unit], MONTH, today=TODAY)[0].lines:
        card = lines[one.code]
        np.testing.assert_allclose(one.month.value, card.month.value)
        np.testing.assert_allclose(one.month.attainment, card.month.attainment)
        np.testing.assert_allclose(one.to_date.attainment, card.to_date.attainment)
        assert light_of(one.marks) == light_of(card.driving.marks)


def test_a_unit_that_is_closed_has_nothing_due(country):
    UnitPeriod.objects.filter(unit=country.units[UNIT]).update(to_month=MONTH)
    assert entry.grid([country.units[UNIT]], MONTH, today=TODAY) == []
    assert entry.grid([country.units[UNIT]], date(2023, 9, 1), today=TODAY) != []


@pytest.mark.parametrize("units", [1, 4])
def test_the_grid_asks_as_often_for_one_unit_as_for_many(country, count_queries, units):
    chosen = list(Unit.objects.filter(code__startswith="PN-01D0").exclude(children__isnull=False)[:units])
    with count_queries() as queries:
        groups = entry.grid(chosen, MONTH, today=TODAY)
    assert (len(groups), len(queries)) == (units, 5)


# One cell ------------------------------------------------------------------------------------------------------------


def test_a_saved_cell_moves_its_light(country, desk):
    assert state_of(line(country).month.marks) == State.NO_DATA
    status, answer = desk.save("PN.PATROLS", "8")
    assert (status, answer["is_entered"]) == (200, True)
    assert "on target" in answer["row"]
    assert light_of(line(country, "PN.PATROLS").marks) == Light.GREEN
    status, answer = desk.save("PN.PATROLS", "4")
    assert "off target" in answer["row"]
    assert light_of(line(country, "PN.PATROLS").marks) == Light.RED


def test_a_saved_figure_is_provisional_and_says_who_and_from_where(country, desk):
    desk.save("PN.HOMICIDES", "3")
    saved = figure(country)
    assert (saved.numerator, saved.is_provisional, saved.source) == (3.0, True, "entry")
    assert saved.recorded_by_id == country.people["reporter"].pk
    assert StaleMark.objects.filter(indicator__code="PN.HOMICIDES", month=MONTH).exists()


def test_blank_zero_and_not_applicable_are_kept_apart(country, desk):
    desk.save("PN.HOMICIDES", "0")
    assert (figure(country).numerator, line(country).is_entered) == (0.0, True)
    desk.save("PN.HOMICIDES", "", state="na")
    assert (figure(country).numerator, figure(country).state) == (None, 2)
    assert state_of(line(country).month.marks) == State.NOT_APPLICABLE
    status, answer = desk.save("PN.HOMICIDES", "")
    assert (status, answer["is_entered"], figure(country)) == (200, False, None)
    assert MeasurementPast.objects.filter(unit__code=UNIT).count() == 2
    desk.save("PN.HOMICIDES", "n/a")
    assert figure(country).state == 2


@pytest.mark.parametrize(
    ("code", "typed", "numerator"),
    [("PN.RESPONSE", "8,5", 8.5), ("PN.RESPONSE", "8.5", 8.5), ("PN.HOMICIDES", "1.234", 1234.0),
     ("PN.HOMICIDES", "1,234", 1234.0), ("PN.HOMICIDES", " 7 ", 7.0), ("PN.RESPONSE", "1.234", 1.234)],
)  # fmt: skip
def test_decimals_by_comma_or_point(country, desk, code, typed, numerator):
    assert desk.save(code, typed)[0] == 200
    assert figure(country, code).numerator == numerator


def test_in_spanish_the_comma_sets_decimals(country, desk, client):
    client.cookies["django_language"] = "es"
    assert desk.save("PN.RESPONSE", "1,234")[0] == 200
    assert figure(country, "PN.RESPONSE").numerator == 1.234
    status, answer = desk.save("PN.RESPONSE", "1.234")
    assert (status, answer["rule"]) == (422, "ambiguous_number")
    assert 'value="1,234"' in desk.get().content.decode()


def test_a_figure_with_many_decimals_survives_a_change_beside_it(country, desk):
    """What stands in a field as it was shown is the figure itself, not what its text could mean."""
    desk.save("PN.SOLVED", "1.2345", "2")
    desk.save("PN.SOLVED", "1.2345", "4")
    assert (figure(country, "PN.SOLVED").numerator, figure(country, "PN.SOLVED").denominator) == (1.2345, 4.0)


@pytest.mark.parametrize(
    ("code", "numerator", "denominator", "about", "rule"),
    [
        ("PN.HOMICIDES", "-1", "", "numerator", "negative_count"),
        ("PN.HOMICIDES", "many", "", "numerator", "not_a_number"),
        ("PN.RESPONSE", "1,234", "", "numerator", "ambiguous_number"),
        ("PN.SOLVED", "5", "", "denominator", "denominator_missing"),
        ("PN.SOLVED", "", "5", "numerator", "numerator_missing"),
        ("PN.SOLVED", "5", "0", "denominator", "division_by_zero"),
    ],
)
def test_what_cannot_be_recorded_names_field_and_rule(country, desk, code, numerator, denominator, about, rule):
    status, answer = desk.save(code, numerator, denominator)
    assert (status, answer["field"], answer["rule"]) == (422, about, rule)
    assert answer["message"].endswith(".")
    assert figure(country, code) is None


def test_a_closed_unit_and_a_future_month_take_no_figure(country, desk):
    desk.path = f"/units/{UNIT}/entry/?month=2099-01"
    assert desk.save("PN.HOMICIDES", "3")[1]["rule"] == "future_month"
    assert "has not begun" in desk.get().content.decode()
    desk.path = f"/units/{UNIT}/entry/?month=2023-10"
    UnitPeriod.objects.filter(unit=country.units[UNIT]).update(to_month=MONTH)
    assert desk.save("PN.HOMICIDES", "3")[1]["rule"] == "unit_closed"


def test_a_person_learns_of_another_who_changed_the_cell(country, desk):
    on_screen = entry.stamp_of(figure(country))
    desk.sign_in("approver").save("PN.HOMICIDES", "4")
    status, answer = desk.sign_in("reporter").save("PN.HOMICIDES", "5", was=on_screen)
    assert status == 409
    assert "Approver Prueba entered 4 meanwhile" in answer["message"]
    assert figure(country).numerator == 4.0
    assert f'data-stamp="{entry.stamp_of(figure(country))}"' in answer["row"]
    assert desk.save("PN.HOMICIDES", "5")[0] == 200  # with the new stamp: knowingly
    assert figure(country).numerator == 5.0


def test_two_who_say_the_same_do_not_quarrel(country, desk):
    desk.sign_in("approver").save("PN.HOMICIDES", "4")
    assert desk.sign_in("reporter").save("PN.HOMICIDES", "4", was="")[0] == 200
    assert figure(country).recorded_by_id == country.people["approver"].pk


def test_an_approval_meanwhile_is_a_conflict(country, desk):
    desk.save("PN.HOMICIDES", "4")
    on_screen = entry.stamp_of(figure(country))
    _approve(country)
    status, answer = desk.save("PN.HOMICIDES", "5", was=on_screen)
    assert (status, figure(country).is_provisional) == (409, False)
    assert "was approved meanwhile" in answer["message"]


def _approve(country, code="PN.HOMICIDES"):
    keys = {"months": [MONTH], "indicators": [country.indicators[code].pk], "units": [country.units[UNIT].pk]}
    actions.approve(by=country.people["approver"], now=timezone.now(), **keys)


def test_undo_puts_back_what_was_said_before(country, desk):
    key = f"{country.indicators['PN.HOMICIDES'].pk}-{country.units[UNIT].pk}"
    desk.save("PN.HOMICIDES", "4")
    _approve(country)
    desk.save("PN.HOMICIDES", "5")
    assert desk.save("PN.HOMICIDES", undo=key)[0] == 200
    assert (figure(country).numerator, figure(country).is_provisional) == (4.0, False)
    assert MeasurementPast.objects.latest("pk").reason == "undo"


def test_undo_of_a_first_figure_makes_it_blank_and_of_a_blank_brings_it_back(country, desk):
    key = f"{country.indicators['PN.HOMICIDES'].pk}-{country.units[UNIT].pk}"
    desk.save("PN.HOMICIDES", "4")
    assert desk.save("PN.HOMICIDES", undo=key)[0] == 200
    assert figure(country) is None
    desk.save("PN.HOMICIDES", "6")
    desk.save("PN.HOMICIDES", "")
    assert desk.save("PN.HOMICIDES", undo=key)[0] == 200
    assert figure(country).numerator == 6.0


def test_another_persons_change_or_an_approval_is_not_undone(country, desk):
    key = f"{country.indicators['PN.HOMICIDES'].pk}-{country.units[UNIT].pk}"
    desk.sign_in("approver").save("PN.HOMICIDES", "4")
    assert desk.sign_in("reporter").save("PN.HOMICIDES", undo=key)[1]["rule"] == "nothing_to_undo"
    desk.save("PN.HOMICIDES", "5")
    _approve(country)
    assert desk.save("PN.HOMICIDES", undo=key)[1]["rule"] == "nothing_to_undo"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_one_cell_at_once_one_learns_of_it():
    country = small_country(zones=1, districts=1, circuits=1, months=2, cards=False)
    Measurement.objects.filter(month=MONTH).delete()
    unit, sheet = country.units[UNIT], line(country).sheet
    start, outcomes = threading.Barrier(2), []

    def writer(value):
        try:
            start.wait()
            entry_cell.save(
                by=country.people["reporter"], unit=unit, sheet=sheet, month=MONTH,
                typed={"numerator": value}, was="", now=timezone.now(),
            )  # fmt: skip
            outcomes.append("saved")
        except entry_cell.Conflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=writer, args=(value,)) for value in ("3", "4")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "saved"]


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_counts_what_is_entered_and_opens_with_the_latest_month(country, desk):
    desk.save("PN.HOMICIDES", "0")
    response = desk.get(f"/units/{UNIT}/entry/")
    text = response.content.decode()
    assert "1 of 4 entered for October 2023" in text
    assert (response.context["entered"], response.context["total"]) == (1, 4)
    assert 'max="4" value="1"' in text


def test_a_month_that_is_none_is_a_bad_request(desk):
    assert desk.get(f"/units/{UNIT}/entry/?month=May").status_code == 400


def test_days_left_follow_the_lag_of_the_sheets(country):
    lines = entry.grid([country.units[UNIT]], MONTH, today=TODAY)[0].lines
    assert entry.due_by(lines, MONTH) == date(2023, 11, 5)


def test_a_unit_above_shows_those_below_in_the_order_of_the_tree(country, desk):
    response = desk.sign_in("approver").get(f"/units/{DISTRICT}/entry/?month=2023-10")
    assert response.context["is_below"]
    assert [group.unit.code for group in response.context["groups"]] == [UNIT, OTHER]


def test_the_whole_form_saves_what_was_changed_and_gives_back_what_was_refused(country, desk):
    lines = entry.grid([country.units[UNIT]], MONTH, today=TODAY)[0].lines
    data = {}
    for one, value in zip(lines, ["3", "", "-", "7"], strict=True):
        data |= {f"n-{one.key}": value, f"d-{one.key}": "", f"w-{one.key}": one.stamp, f"o-{one.key}": one.original}
    response = desk.post(data)
    assert response.status_code == 422
    text = response.content.decode()
    assert "There is a problem" in text
    assert "[not_a_number]" in text
    assert "[denominator_missing]" in text
    assert (figure(country).numerator, figure(country, "PN.PATROLS")) == (3.0, None)
    assert MeasurementPast.objects.filter(unit__code=UNIT).count() == 0


def test_the_whole_form_leaves_alone_what_another_changed_meanwhile(country, desk):
    lines = entry.grid([country.units[UNIT]], MONTH, today=TODAY)[0].lines
    data = {}
    for one in lines:
        data |= {f"n-{one.key}": "", f"d-{one.key}": "", f"w-{one.key}": one.stamp, f"o-{one.key}": one.original}
    data[f"n-{lines[1].key}"] = "8"
    desk.sign_in("approver").save("PN.HOMICIDES", "4")
    assert desk.sign_in("reporter").post(data).status_code == 302
    assert (figure(country).numerator, figure(country, "PN.PATROLS").numerator) == (4.0, 8.0)


@pytest.mark.parametrize(
    ("who", "unit", "status"),
    [("reporter", UNIT, 200), ("approver", UNIT, 200), ("viewer", UNIT, 403), ("auditor", UNIT, 403),
     ("reporter", OTHER, 404), ("reporter", DISTRICT, 404), ("nobody", UNIT, 404), ("approver", "PN-01D02", 404)],
)  # fmt: skip
def test_who_may_enter(desk, who, unit, status):
    assert desk.sign_in(who).get(f"/units/{unit}/entry/?month=2023-10").status_code == status


def test_a_cell_outside_the_unit_is_not_saved(country, desk):
    key = f"{country.indicators['PN.HOMICIDES'].pk}-{country.units[OTHER].pk}"
    response = desk.post({"cell": key, f"n-{key}": "3", f"w-{key}": ""})
    assert (response.status_code, response.json()["rule"]) == (422, "not_assigned")
    assert desk.post({"cell": "x"}).status_code == 400


# Approval ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(country, desk):
    Measurement.objects.filter(month=MONTH).update(is_provisional=False)
    desk.save("PN.HOMICIDES", "3")
    desk.save("PN.PATROLS", "8")
    return reverse("approve", args=[DISTRICT]) + "?month=2023-10"


def test_what_waits_below_is_listed_and_those_ticked_are_approved(country, desk, waiting):
    response = desk.sign_in("approver").get(waiting)
    assert [row["line"].code for row in response.context["rows"]] == ["PN.HOMICIDES", "PN.PATROLS"]
    data = {"figure": [response.context["rows"][1]["key"]], "as_shown": response.context["as_shown"]}
    assert desk.post(data, waiting).status_code == 302
    assert (figure(country).is_provisional, figure(country, "PN.PATROLS").is_provisional) == (True, False)
    past = MeasurementPast.objects.latest("pk")
    assert (past.replaced_by_id, past.reason) == (country.people["approver"].pk, "approved")


def test_all_can_be_approved_at_once_but_not_what_changed_since(country, desk, waiting):
    as_shown = desk.sign_in("approver").get(waiting).context["as_shown"]
    desk.sign_in("reporter").save("PN.HOMICIDES", "30")
    desk.sign_in("approver").post({"all": "1", "as_shown": as_shown}, waiting)
    assert (figure(country).is_provisional, figure(country, "PN.PATROLS").is_provisional) == (True, False)
    assert "1 figure was changed after this page was shown" in desk.get(waiting).content.decode()


def test_approval_stays_below_the_unit(country, desk, waiting):
    other = f"{country.indicators['PN.HOMICIDES'].pk}-{country.units['PN-01D02C01'].pk}"
    Measurement.objects.filter(month=MONTH, unit__code="PN-01D02C01").update(is_provisional=True)
    as_shown = timezone.now().isoformat()
    desk.sign_in("approver").post({"figure": [other], "as_shown": as_shown}, waiting)
    assert figure(country, unit="PN-01D02C01").is_provisional


@pytest.mark.parametrize(
    ("who", "status"), [("approver", 200), ("administrator", 200), ("viewer", 403), ("reporter", 404)]
)
def test_who_may_approve(desk, waiting, who, status):
    assert desk.sign_in(who).get(waiting).status_code == status
