"""Plans: what a plan lacks, who approves it, and how it changes."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from indicators.actions import set_targets
from indicators.models import SheetVersion, StaleMark
from scorecard import plans
from scorecard.models import Objective, Plan, PlanLine, PlanStatus
from scorecard.refresh.recipes import Blueprint
from tests.factories import small_country

pytestmark = pytest.mark.django_db
NOW = datetime(2023, 11, 20, 15, tzinfo=UTC)


@pytest.fixture
def country(english):
    return small_country(months=3)


@pytest.fixture
def plan(country):
    """The police's plan as a draft, with every target of the year at the head of the institution."""
    return draft(country, "PN")


@pytest.fixture
def visit(client, country):
    def ask(person, address, **data):
        client.force_login(country.people[person])
        headers = {"accept-language": "en"}
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


def draft(country, code):
    plan = country.plans[code]
    plan.status = PlanStatus.DRAFT
    plan.save()
    for line in plan.lines.select_related("indicator__institution"):
        whole_year(country, line.indicator)
    return plan


def whole_year(country, indicator, months=range(1, 13)):
    unit = country.unit(f"{indicator.institution.code}-EC")
    count = len(months)
    is_range = indicator.code == "PN.RESPONSE"
    nan = float("nan")
    set_targets(
        by=None,
        months=[f"2023-{month:02}" for month in months],
        indicators=[indicator.pk] * count,
        units=[unit.pk] * count,
        values=[nan if is_range else 5.0] * count,
        low=[4.0 if is_range else nan] * count,
        high=[nan] * count,
        baseline=[nan] * count,
        now=NOW,
    )


def rules(plan):
    return [(fault.rule, fault.where) for fault in plans.faults(plans.outline(plan))]


# The outline ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["PN", "EST"])
def test_numbers_are_those_that_cards_print(country, code):
    plan = country.plans[code]
    found = plans.outline(plan)
    blueprint = Blueprint(plan.institution_id, plan.year, [i.pk for i in plan.institution.indicators.all()])
    structure = blueprint.structure({}, "")
    assert [item.number for item in found.lines] == [line["number"] for line in structure["lines"]]
    numbers = [node.number for node in found.root.walk() if node.objective]
    assert numbers == [objective["number"] for objective in structure["objectives"]]


def test_an_outline_asks_as_often_whatever_its_size(country, plan, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        plans.faults(plans.outline(plan))


# The gate ------------------------------------------------------------------------------------------------------------


def test_a_whole_plan_has_no_fault(country, plan):
    assert rules(plan) == []
    head = plans.head_figures(plans.outline(plan))
    assert (head.total, head.with_baseline, head.closed, head.percent_closed) == (5, 0, 5, 100.0)


def test_weights_that_do_not_add_up_are_named_at_every_node(country, plan):
    Objective.objects.filter(plan=plan, what="los homicidios").update(weight=50)
    PlanLine.objects.filter(plan=plan, indicator__code="PN.PATROLS").update(weight=30)
    found = plans.faults(plans.outline(plan))
    assert [(f.rule, f.message) for f in found] == [
        ("weights", "The weights add up to 90, not to 100."),
        ("weights", "The weights add up to 90, not to 100."),
    ]
    assert found[0].objective_id is None
    assert found[1].where.startswith("2.2 ")


def test_an_empty_plan_and_an_empty_objective_are_faults(country, plan):
    PlanLine.objects.filter(plan=plan, objective__what="los homicidios").delete()
    assert [rule for rule, _where in rules(plan)] == ["objective_empty"]
    plan.objectives.all().delete()
    assert [rule for rule, _where in rules(plan)] == ["empty"]


def test_missing_targets_are_a_fault_unless_a_reason_is_given(country, plan):
    line = plan.lines.get(indicator__code="PN.HOMICIDES")
    take_back(country, line.indicator, [11, 12])
    [fault] = plans.faults(plans.outline(plan))
    assert (fault.rule, fault.where, fault.line_id) == ("targets", "1.1 PN.HOMICIDES", line.pk)
    assert fault.message.startswith("2 months")
    line.no_target_because = "agreed in December"
    line.save()
    assert rules(plan) == []
    assert plans.head_figures(plans.outline(plan)).closed == 4


def take_back(country, indicator, months):
    count, nan = len(months), float("nan")
    set_targets(
        by=None,
        months=[f"2023-{month:02}" for month in months],
        indicators=[indicator.pk] * count,
        units=[country.unit("PN-EC").pk] * count,
        values=[nan] * count,
        low=[nan] * count,
        high=[nan] * count,
        baseline=[nan] * count,
        now=NOW,
    )


def test_targets_of_every_unit_that_reports_are_as_good_as_one_at_the_head(country, plan):
    """The units have targets of August to October; without those at the head, the other nine months lack one."""
    take_back(country, country.indicators["PN.HOMICIDES"], range(1, 13))
    [fault] = plans.faults(plans.outline(plan))
    assert fault.message.startswith("9 months")


def test_only_the_months_that_are_measured_need_a_target(country, plan):
    SheetVersion.objects.filter(indicator__code="PN.HOMICIDES").update(frequency=4)
    take_back(country, country.indicators["PN.HOMICIDES"], [1, 2, 4, 5, 7, 8, 10, 11])
    assert rules(plan) == []


def test_a_missing_baseline_is_a_fault_unless_explained_on_the_line_or_the_sheet(country, plan):
    plan.lines.update(no_baseline_because="")
    assert rules(plan) == [], "the sheets say why"
    SheetVersion.objects.update(baseline_none_because="")
    assert {rule for rule, _where in rules(plan)} == {"baseline"}
    SheetVersion.objects.update(baseline_value=4.0)
    assert rules(plan) == []
    assert plans.head_figures(plans.outline(plan)).with_baseline == 5


def test_an_indicator_without_a_sheet_is_a_fault(country, plan):
    SheetVersion.objects.filter(indicator__code="PN.SOLVED").update(valid_to=date(2022, 1, 1))
    assert rules(plan) == [("no_sheet", "2.1.1 PN.SOLVED")]


def test_a_plan_with_faults_is_not_approved_and_every_one_is_listed(country, plan):
    Objective.objects.filter(plan=plan, what="los homicidios").update(weight=50)
    take_back(country, country.indicators["PN.HOMICIDES"], [12])
    with pytest.raises(ValidationError) as refused:
        plans.approve(by=country.people["administrator"], plan=plan, now=NOW)
    assert len(refused.value.messages) == 2
    assert Plan.objects.get(pk=plan.pk).status == PlanStatus.DRAFT


def test_the_states_plan_cites_other_institutions(country):
    plan = draft(country, "EST")
    assert rules(plan) == []
    own = country.plans["PN"]
    line = PlanLine(
        plan=own, objective=own.objectives.first(), indicator=country.indicators["EST.AGREEMENTS"], weight=1
    )
    own.status = PlanStatus.DRAFT
    own.save()
    with pytest.raises(ValidationError, match="Only the State's plan"):
        plans.save_part(by=None, part=line, now=NOW)


# Changes -------------------------------------------------------------------------------------------------------------


def test_approval_and_reopening_make_versions_with_their_authors(country, plan):
    by = country.people["administrator"]
    approved = plans.approve(by=by, plan=plan, now=NOW)
    assert (approved.status, approved.version, approved.approved_by) == (PlanStatus.APPROVED, 3, by)
    with pytest.raises(ValidationError, match="Say why"):
        plans.reopen(by=by, plan=plan, now=NOW, reason="")
    reopened = plans.reopen(by=by, plan=plan, now=NOW, reason="a new law")
    assert (reopened.status, reopened.version, reopened.approved_by) == (PlanStatus.DRAFT, 4, None)
    event = Plan.pgh_event_model.objects.filter(pgh_obj=plan).order_by("-pgh_id").first()
    assert event.pgh_context.metadata == {"user": by.pk, "reason": "a new law"}


def test_an_approved_plan_is_not_edited(country):
    plan = country.plans["PN"]
    for act in (
        lambda: plans.save_part(by=None, part=plan.objectives.first(), now=NOW),
        lambda: plans.remove_part(by=None, part=plan.lines.first(), now=NOW, reason="no"),
        lambda: plans.move_part(by=None, part=plan.lines.first(), up=False, now=NOW),
        lambda: plans.set_weights(by=None, plan=plan, weights={}, now=NOW),
    ):
        with pytest.raises(ValidationError, match="is approved"):
            act()


def test_a_copy_takes_everything_but_approval(country, plan):
    made = plans.copy_plan(by=None, plan=plan, year=2024, now=NOW)
    before, after = plans.outline(plan), plans.outline(made)
    assert [(i.number, i.line.indicator.code, i.line.weight) for i in before.lines] == [
        (i.number, i.line.indicator.code, i.line.weight) for i in after.lines
    ]
    assert [str(n.objective) for n in before.root.walk()] == [str(n.objective) for n in after.root.walk()]
    assert {n.objective.perspective.plan_id for n in after.root.walk() if n.objective} == {made.pk}
    assert (made.status, made.version) == (PlanStatus.DRAFT, 1)
    with pytest.raises(ValidationError, match="already"):
        plans.copy_plan(by=None, plan=plan, year=2024, now=NOW)


def test_parts_move_among_their_siblings(country, plan):
    second = plan.lines.get(indicator__code="PN.HOMICIDERATE")
    plans.move_part(by=None, part=second, up=True, now=NOW)
    plans.move_part(by=None, part=second, up=True, now=NOW)
    codes = [item.line.indicator.code for item in plans.outline(plan).lines]
    assert codes[:2] == ["PN.HOMICIDERATE", "PN.HOMICIDES"]


def test_an_objective_does_not_stand_below_itself(country, plan):
    top, below = plan.objectives.get(what="la respuesta"), plan.objectives.get(what="los casos resueltos")
    top.parent = below
    with pytest.raises(ValidationError, match="below itself"):
        plans.save_part(by=None, part=top, now=NOW)


def test_every_change_marks_the_year(country, plan):
    StaleMark.objects.all().delete()
    plans.set_weights(by=None, plan=plan, weights={plan.lines.first(): 40.0}, now=NOW)
    assert list(StaleMark.objects.values_list("month", "institution__code", "indicator")) == [
        (date(2023, 1, 1), "PN", None)
    ]


# Pages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "code", "status"),
    [
        ("viewer", "PN", 200),
        ("reporter", "PN", 200),
        ("minister", "EST", 200),
        ("minister", "PN", 200),
        ("viewer", "EST", 404),
        ("nobody", "PN", 404),
    ],
)
def test_a_plan_is_read_by_whoever_sees_the_institution(visit, country, person, code, status):
    assert visit(person, reverse("plan", args=[country.plans[code].pk])).status_code == status


@pytest.mark.parametrize("name", ["manage-plan", "manage-plan-weights", "manage-plan-reopen", "plan-approve"])
def test_a_plan_is_made_by_those_who_plan_for_the_institution(visit, country, name):
    police, state = (reverse(name, args=[country.plans[code].pk]) for code in ("PN", "EST"))
    assert visit("administrator", police).status_code == 200
    assert visit("viewer", police).status_code == 403
    assert visit("approver", police).status_code == 403, "an approver of a district does not approve the whole plan"
    assert visit("administrator", state).status_code == 404


def test_the_plan_leaves_as_a_file(visit, country):
    response = visit("viewer", reverse("plan", args=[country.plans["PN"].pk]) + "?format=csv")
    assert b"PN.HOMICIDES" in response.content


def test_a_line_is_added_after_a_preview(visit, country, plan):
    plan.lines.filter(indicator__code="PN.PATROLS").delete()
    objective = plan.objectives.get(what="los homicidios")
    address = reverse("manage-plan-add", args=[plan.pk, "line"])
    data = {"indicator": "PN.PATROLS", "objective": objective.pk, "weight": "20"}
    seen = visit("administrator", address, **data, step="preview").context["preview"]
    assert [change.kind_word for change in seen.changes] == ["added"]
    assert seen.recomputed[0].cards
    assert not plan.lines.filter(indicator__code="PN.PATROLS").exists()
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert plan.lines.get(indicator__code="PN.PATROLS").weight == 20
    again = visit("administrator", address, **data, step="preview")
    assert "already" in str(again.context["form"].errors["indicator"])


def test_an_objective_is_changed_and_taken_out(visit, country, plan):
    objective = plan.objectives.get(what="los casos resueltos")
    address = reverse("manage-plan-part", args=[plan.pk, "objective", objective.pk])
    data = {"verb": "increase", "what": "los casos", "means": "peritos", "weight": "70", "parent": objective.parent_id}
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    objective.refresh_from_db()
    assert (objective.what, objective.means) == ("los casos", "peritos")
    address = reverse("manage-plan-remove", args=[plan.pk, "objective", objective.pk])
    seen = visit("administrator", address, step="preview").context["preview"]
    assert {change.model for change in seen.changes} == {"Objective", "PlanLine"}
    assert visit("administrator", address, step="confirm", reason="merged").status_code == 302
    assert not Objective.objects.filter(pk=objective.pk).exists()


def test_weights_of_a_place_are_set_with_their_sum(visit, country, plan):
    objective = plan.objectives.get(what="los homicidios")
    address = f"{reverse('manage-plan-weights', args=[plan.pk])}?under={objective.pk}"
    response = visit("administrator", address)
    assert response.context["total"] == 100
    first, second = plan.lines.filter(objective=objective)
    data = {f"w-planline-{first.pk}": "70", f"w-planline-{second.pk}": "20"}
    assert visit("administrator", address, **data, step="edit").context["total"] == 90
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert sorted(plan.lines.filter(objective=objective).values_list("weight", flat=True)) == [20, 70]
    assert "adds up to 90 of 100" in visit("administrator", reverse("manage-plan", args=[plan.pk])).text


def test_lines_are_moved_by_buttons(visit, country, plan):
    line = plan.lines.get(indicator__code="PN.HOMICIDERATE")
    address = reverse("manage-plan-move", args=[plan.pk, "line", line.pk])
    assert visit("administrator", address, to="up").status_code == 302
    assert plans.outline(plan).lines[0].line == line
    assert visit("viewer", address, to="up").status_code == 403


def test_the_approval_page_lists_every_fault(visit, country, plan):
    Objective.objects.filter(plan=plan, what="los homicidios").update(weight=50)
    address = reverse("plan-approve", args=[plan.pk])
    text = visit("administrator", address).text
    assert "The weights add up to 90, not to 100." in text
    refused = visit("administrator", address, step="confirm")
    assert refused.context["form"].errors
    Objective.objects.filter(plan=plan, what="los homicidios").update(weight=60)
    assert visit("administrator", address, step="confirm").status_code == 302
    plan.refresh_from_db()
    assert plan.status == PlanStatus.APPROVED


def test_a_plan_is_copied_from_last_year(visit, country, plan):
    address = reverse("manage-plan-new")
    data = {"institution": country.institutions["PN"].pk, "year": 2024, "copied": plan.pk}
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert Plan.objects.get(year=2024).lines.count() == 5
    taken = visit("administrator", address, **data, step="preview")
    assert "already" in str(taken.context["form"].errors["year"])
