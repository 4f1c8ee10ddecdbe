"""Sheets in dated versions, assignments and targets: what is refused, what is closed, what is computed again."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from indicators import sheets
from indicators.forms import SHEET_FIELDS
from indicators.formulas import formula_problem
from indicators.models import Assignment, Indicator, SheetVersion, StaleMark, Target, TargetPast
from tests.factories import small_country

pytestmark = pytest.mark.django_db
NOW = datetime(2023, 11, 20, 15, tzinfo=UTC)
JULY = date(2023, 7, 1)


@pytest.fixture
def country(english):
    return small_country(months=3)


@pytest.fixture
def visit(client, country):
    def ask(person, address, **data):
        client.force_login(country.people[person])
        headers = {"accept-language": "en"}
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


def fields(country, code, **changed):
    version = country.indicators[code].sheets.get(version=1)
    return {name: getattr(version, name) for name in SHEET_FIELDS} | changed


def posted(country, of, **changed):
    """A sheet as the form posts it."""
    given = {}
    for name, value in fields(country, of).items():
        if value is not None and value is not False:
            given[name] = "on" if value is True else value
    return {**given, **changed}


# Versions ------------------------------------------------------------------------------------------------------------


def test_a_new_version_closes_the_former(country):
    indicator = country.indicators["PN.PATROLS"]
    sheets.new_version(
        by=None, indicator=indicator, valid_from=JULY, sheet=fields(country, "PN.PATROLS", decimals=1), now=NOW
    )
    spans = list(indicator.sheets.order_by("version").values_list("version", "valid_from", "valid_to", "decimals"))
    assert spans == [(1, date(2020, 1, 1), JULY, 0), (2, JULY, None, 1)]
    assert list(StaleMark.objects.values_list("month", "institution__code")) == [(JULY, "PN")]


def test_a_version_does_not_begin_before_the_one_in_force(country):
    with pytest.raises(ValidationError, match="begins later"):
        sheets.new_version(
            by=None,
            indicator=country.indicators["PN.PATROLS"],
            valid_from=date(2020, 1, 1),
            sheet=fields(country, "PN.PATROLS"),
            now=NOW,
        )


@pytest.mark.parametrize(
    ("code", "changed", "field"),
    [
        ("PN.PATROLS", {"over_units": 5}, "over_units"),
        ("PN.PATROLS", {"over_units": 4}, "denominator_kind"),
        ("PN.PATROLS", {"over_time": 3}, "denominator_kind"),
        ("PN.SOLVED", {"denominator_over_units": 4}, "denominator_over_units"),
        ("PN.SOLVED", {"over_time": 3}, "over_time"),
        ("PN.SOLVED", {"denominator": ""}, "denominator"),
        ("PN.PATROLS", {"tolerance": 2.0}, "tolerance"),
        ("PN.PATROLS", {"baseline_none_because": ""}, "baseline_none_because"),
        ("PN.PATROLS", {"baseline_value": 3.0}, "baseline_none_because"),
        ("PN.PATROLS", {"formula": "[PN.NOWHERE] * 2", "is_entered": False}, "formula"),
        ("PN.PATROLS", {"formula": "PN.HOMICIDES +", "is_entered": False}, "formula"),
        ("PN.PATROLS", {"formula": "PN.HOMICIDES * 2"}, "is_entered"),
        ("PN.PATROLS", {"sense": 99}, "sense"),
    ],
)
def test_what_cannot_be_computed_is_refused_on_its_field(country, code, changed, field):
    with pytest.raises(ValidationError) as refused:
        sheets.new_version(
            by=None,
            indicator=country.indicators[code],
            valid_from=JULY,
            sheet=fields(country, code, **changed),
            now=NOW,
        )
    assert list(refused.value.message_dict) == [field]
    assert country.indicators[code].sheets.get().valid_to is None


def test_a_circle_of_formulas_is_named_whole(country):
    for code, formula in (("PN.HOMICIDES", "PN.SOLVED * 2"), ("PN.SOLVED", "PN.PATROLS + 1")):
        SheetVersion.objects.filter(indicator__code=code).update(formula=formula, is_entered=False)
    problem = formula_problem("PN.HOMICIDES - 1", "PN.PATROLS", JULY)
    assert "circle" in problem
    assert all(code in problem for code in ("PN.HOMICIDES", "PN.SOLVED", "PN.PATROLS"))
    assert "circle" in formula_problem("PN.PATROLS + 1", "PN.PATROLS", JULY)
    assert formula_problem("EST.AGREEMENTS / 2", "PN.PATROLS", JULY) is None


def test_a_correction_needs_a_reason_and_says_it(country):
    version = country.indicators["PN.PATROLS"].sheets.get()
    given = fields(country, "PN.PATROLS", name="Patrullas")
    with pytest.raises(ValidationError, match="Say why"):
        sheets.correct_version(by=None, version=version, sheet=given, now=NOW, reason="")
    sheets.correct_version(by=None, version=version, sheet=given, now=NOW, reason="a typing error")
    event = SheetVersion.pgh_event_model.objects.filter(pgh_obj=version).order_by("-pgh_id").first()
    assert (event.name, event.pgh_context.metadata["reason"]) == ("Patrullas", "a typing error")


def test_an_ended_indicator_is_due_of_nobody(country):
    indicator = country.indicators["PN.PATROLS"]
    sheets.end_sheet(by=None, indicator=indicator, valid_to=JULY, now=NOW, reason="no longer counted")
    assert indicator.sheets.get().valid_to == JULY
    assert not indicator.assignments.exclude(to_month=JULY).exists()


# Assignments ---------------------------------------------------------------------------------------------------------


def test_many_units_are_assigned_at_once_and_those_due_already_are_told(country):
    indicator = country.indicators["PN.HOMICIDERATE"]
    units = [country.unit("PN-Z0"), country.unit("PN-01D01C01"), country.unit("PN-01D01")]
    made = sheets.assign(by=None, indicator=indicator, units=units, from_month=JULY, now=NOW)
    assert [u.code for u in made.created] == ["PN-Z0", "PN-01D01"]
    assert [u.code for u in made.already] == ["PN-01D01C01"]


@pytest.mark.parametrize(
    ("unit", "first", "last", "words"),
    [
        ("PN-01D01C01", date(2019, 1, 1), None, "not yet open"),
        ("EST-EC", JULY, None, "another institution"),
        ("PN-Z0", JULY, date(2023, 7, 1), "before the first"),
        ("PN-Z0", date(2023, 7, 2), None, "first day"),
    ],
)
def test_assignments_that_make_no_sense_are_refused(country, unit, first, last, words):
    with pytest.raises(ValidationError, match=words):
        sheets.assign(
            by=None,
            indicator=country.indicators["PN.HOMICIDERATE"],
            units=[country.unit(unit)],
            from_month=first,
            to_month=last,
            now=NOW,
        )


def test_overlapping_assignments_are_refused_by_unit(country):
    indicator, unit = country.indicators["PN.PATROLS"], country.unit("PN-01D01C01")
    sheets.end_assignments(by=None, indicator=indicator, units=[unit], to_month=JULY, now=NOW, reason="moved")
    with pytest.raises(ValidationError, match="PN-01D01C01: assigned in a part"):
        sheets.assign(by=None, indicator=indicator, units=[unit], from_month=date(2023, 3, 1), now=NOW)
    sheets.assign(by=None, indicator=indicator, units=[unit], from_month=JULY, now=NOW)
    assert Assignment.objects.filter(indicator=indicator, unit=unit).count() == 2


def test_an_assignment_that_never_began_is_taken_out(country):
    indicator, unit = country.indicators["PN.HOMICIDERATE"], country.unit("PN-Z0")
    sheets.assign(by=None, indicator=indicator, units=[unit], from_month=JULY, now=NOW)
    sheets.end_assignments(by=None, indicator=indicator, units=[unit], to_month=JULY, now=NOW, reason="a mistake")
    assert not Assignment.objects.filter(indicator=indicator, unit=unit).exists()
    with pytest.raises(ValidationError, match="due of none"):
        sheets.end_assignments(by=None, indicator=indicator, units=[unit], to_month=JULY, now=NOW, reason="again")


# Pages ---------------------------------------------------------------------------------------------------------------

LISTS = ["manage-sheets", "manage-assignments", "manage-targets"]


@pytest.mark.parametrize("name", [*LISTS, "manage-assign", "manage-assignments-end", "manage-sheet-formula"])
def test_pages_are_for_those_who_plan(visit, name):
    assert visit("administrator", reverse(name)).status_code == 200
    assert visit("unit_administrator", reverse(name)).status_code == 403


@pytest.mark.parametrize("name", ["manage-sheet", "manage-sheet-version", "manage-sheet-correct", "manage-sheet-end"])
def test_sheets_of_another_tree_are_not_there(visit, name):
    assert visit("administrator", reverse(name, args=["PN.PATROLS"])).status_code == 200
    assert visit("unit_administrator", reverse(name, args=["PN.PATROLS"])).status_code == 403
    assert visit("administrator", reverse(name, args=["EST.AGREEMENTS"])).status_code == 404
    assert visit("administrator", reverse(name, args=["NO.SUCH"])).status_code == 404


def test_a_new_version_is_previewed_then_saved(visit, country):
    address = reverse("manage-sheet-version", args=["PN.PATROLS"])
    data = posted(country, "PN.PATROLS", valid_from="2023-09", sense=2)
    seen = visit("administrator", address, **data, step="preview").context["preview"]
    assert {change.kind for change in seen.changes} == {"insert", "update"}
    assert seen.recomputed[0].cards
    assert seen.lights, "patrol cars judged the other way round turn lights"
    assert country.indicators["PN.PATROLS"].sheets.count() == 1
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert country.indicators["PN.PATROLS"].sheets.count() == 2
    assert "Direction" in visit("administrator", reverse("manage-sheet", args=["PN.PATROLS"])).text


def test_an_indicator_is_added(visit, country):
    address = reverse("manage-sheet-new") + "?institution=PN"
    data = posted(country, "PN.PATROLS", code="pn.boats", valid_from="2023-01", name="Lanchas")
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert Indicator.objects.get(code="PN.BOATS").sheets.get().name == "Lanchas"
    assert visit("administrator", reverse("manage-sheet-new") + "?institution=EST").status_code == 404


def test_a_formula_is_checked_while_it_is_typed(visit, country):
    SheetVersion.objects.filter(indicator__code="PN.SOLVED").update(formula="PN.PATROLS + 1", is_entered=False)
    address = reverse("manage-sheet-formula")
    text = visit("administrator", f"{address}?of=PN.PATROLS&formula=PN.SOLVED*2&valid_from=2023-07").text
    assert "PN.PATROLS → PN.SOLVED → PN.PATROLS" in text or "PN.SOLVED → PN.PATROLS → PN.SOLVED" in text
    assert "reads well" in visit("administrator", f"{address}?of=PN.PATROLS&formula=PN.HOMICIDES*2").text


def test_units_are_assigned_by_level_without_some(visit, country):
    data = {
        "indicator": "PN.HOMICIDERATE",
        "below": "PN-EC",
        "which": "3",
        "without": "PN-01D01",
        "from_month": "2023-09",
    }
    address = reverse("manage-assign")
    seen = visit("administrator", address, **data, step="preview").context["preview"]
    assert len(seen.changes) == 3
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert Assignment.objects.filter(indicator__code="PN.HOMICIDERATE", unit__code="PN-02D01").exists()
    wrong = visit("administrator", address, **{**data, "without": "PN-Z9"}, step="preview")
    assert "PN-Z9" in str(wrong.context["form"].errors["without"])


def test_ending_assignments_says_which_figures_are_left_behind(visit, country):
    data = {"indicator": "PN.PATROLS", "below": "PN-Z1", "which": "reporting", "to_month": "2023-09"}
    seen = visit("administrator", reverse("manage-assignments-end"), **data, step="preview").context["preview"]
    assert any("would not be assigned" in line for line in seen.orphans)


# Targets -------------------------------------------------------------------------------------------------------------


def targets_at(indicator="PN.PATROLS", unit="PN-01D01C01", of="unit", year=2023):
    return f"{reverse('manage-targets')}?indicator={indicator}&unit={unit}&of={of}&year={year}"


def grid(unit, values, part="value"):
    return {f"t-{unit.pk}-{month}-{part}": values.get(month, "") for month in range(1, 13)}


def test_targets_are_previewed_and_saved_with_what_they_replace(visit, country):
    unit = country.unit("PN-01D01C01")
    form = visit("administrator", targets_at(), **grid(unit, {10: "many"}), step="preview").context["form"]
    assert "not a number" in str(form.errors[f"t-{unit.pk}-10-value"])
    assert form[f"t-{unit.pk}-10-value"].value() == "many"
    data = {**grid(unit, {10: "9.5", 11: "7"}), "step": "preview"}
    seen = visit("administrator", targets_at(), **data).context["preview"]
    assert [(t.month, t.before, t.after) for t in seen.targets] == [
        ("August 2023", "8", ""),
        ("September 2023", "8", ""),
        ("October 2023", "8", "9.5"),
        ("November 2023", "", "7"),
    ]
    assert Target.objects.get(unit=unit, indicator__code="PN.PATROLS", month="2023-10-01").value == 8
    data |= {"step": "confirm", "reason": "agreed in May"}
    assert visit("administrator", targets_at(), **data).status_code == 302
    assert Target.objects.get(unit=unit, indicator__code="PN.PATROLS", month="2023-10-01").value == 9.5
    past = TargetPast.objects.get(unit=unit, indicator__code="PN.PATROLS", month="2023-10-01")
    assert (past.value, past.reason) == (8, "agreed in May")


def test_a_year_is_spread_over_its_months(visit, country):
    unit = country.unit("PN-01D01C01")
    data = {**grid(unit, {}), f"y-{unit.pk}-value": "120", "rule": "equal", "step": "spread"}
    form = visit("administrator", targets_at("PN.HOMICIDES"), **data).context["form"]
    assert [form[f"t-{unit.pk}-{m}-value"].value() for m in range(1, 13)] == ["10"] * 12
    assert not Target.objects.filter(unit=unit, indicator__code="PN.HOMICIDES", month="2023-01-01").exists()


@pytest.mark.parametrize(
    ("indicator", "rule", "words"),
    [("PN.HOMICIDES", "cumulative", "Cumulative"), ("PN.HOMICIDES", "seasonal", "no profile")],
)
def test_a_spread_that_cannot_be_is_said_and_nothing_typed_is_lost(visit, country, indicator, rule, words):
    unit = country.unit("PN-01D01C01")
    data = {**grid(unit, {1: "3"}), f"y-{unit.pk}-value": "120", "rule": rule, "step": "spread"}
    form = visit("administrator", targets_at(indicator), **data).context["form"]
    assert words in str(form.errors[f"y-{unit.pk}-value"])
    assert form[f"t-{unit.pk}-1-value"].value() == "3"


def test_a_range_has_two_ends_in_order(visit, country):
    unit = country.unit("PN-01D01C01")
    data = {**grid(unit, {10: "9"}, "low"), **grid(unit, {10: "6"}, "high"), "step": "preview"}
    form = visit("administrator", targets_at("PN.RESPONSE"), **data).context["form"]
    assert list(form.errors) == [f"t-{unit.pk}-10-low"]


def test_children_are_set_in_one_grid(visit, country):
    response = visit("administrator", targets_at(unit="PN-01D01", of="children"))
    assert [row.unit.code for row in response.context["grid"].rows] == ["PN-01D01", "PN-01D01C01", "PN-01D01C02"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (targets_at_words, words)
        for targets_at_words, words in (
            ("indicator=PN.PATROLS&unit=PN-Z9&year=2023", "There is no unit PN-Z9"),
            ("indicator=EST.AGREEMENTS&unit=PN-Z1&year=2023", "There is no indicator EST.AGREEMENTS"),
            ("indicator=PN.PATROLS&unit=PN-Z1&year=2015", "no sheet in force"),
        )
    ],
)
def test_targets_of_what_is_not_there_are_refused_by_field(visit, address, words):
    assert words in visit("administrator", f"{reverse('manage-targets')}?{address}").text
