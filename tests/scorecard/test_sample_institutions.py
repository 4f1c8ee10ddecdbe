"""The sample's institutions, sheets, plans and people fit together, and with the roles and sheets of the product."""

from collections import Counter, defaultdict

import pytest

from indicators.codes import Rule, Sheet
from scorecard.sample import institutions, plans, sheets
from units.permissions import Role


@pytest.fixture(scope="module")
def yearly():
    return plans.plans(range(2014, 2027))


def test_units_have_unique_codes_and_parents_come_first():
    seen = set()
    for unit in institutions.units():
        assert unit.code not in seen
        assert unit.parent is None or unit.parent in seen
        seen.add(unit.code)


def test_the_state_is_the_one_root():
    assert [unit.code for unit in institutions.units() if unit.parent is None] == ["EST-EC"]


def test_one_unit_an_institution_and_place():
    held = Counter((unit.institution, unit.place) for unit in institutions.units())
    assert max(held.values()) == 1


def test_sixteen_emergency_centres_and_a_prosecutor_in_every_subzone():
    counted = Counter(unit.institution for unit in institutions.units())
    assert counted["ECU"] == 1 + 16
    assert counted["FGE"] == counted["CJ"] == 1 + 26
    assert counted["MDI"] == counted["EST"] == 1 + 9


def test_siblings_weights_add_up_to_100(yearly):
    for plan in yearly:
        children = defaultdict(float)
        for objective in plan.objectives:
            children[objective.parent] += objective.weight
            if objective.lines:
                assert sum(weight for _, weight in objective.lines) == 100, (plan.institution, plan.year, objective.key)
        assert set(children.values()) == {100}, (plan.institution, plan.year)


def test_an_objective_holds_objectives_or_lines_never_both_nor_nothing(yearly):
    for plan in yearly:
        parents = {objective.parent for objective in plan.objectives}
        for objective in plan.objectives:
            assert (objective.key in parents) != bool(objective.lines), (plan.institution, objective.key)


def test_a_line_names_a_sheet_in_force_once_a_plan(yearly):
    for plan in yearly:
        codes = [code for _, code, _ in plan.lines]
        assert len(set(codes)) == len(codes)
        for code in codes:
            assert sheets.SHEETS[sheets.POSITION[code]].valid_from.year <= plan.year


def test_every_indicator_stands_in_its_own_institutions_plan(yearly):
    for plan in yearly:
        own = {one.code for one in sheets.SHEETS if one.institution == plan.institution}
        own = {code for code in own if sheets.SHEETS[sheets.POSITION[code]].valid_from.year <= plan.year}
        assert own <= {code for _, code, _ in plan.lines}


def test_the_states_plan_cites_other_institutions(yearly):
    for plan in yearly:
        cited = {code.split(".")[0] for _, code, _ in plan.lines}
        assert cited >= {"PN", "FGE", "ECU", "CJ", "MDI"} if plan.institution == "EST" else cited == {plan.institution}


def test_objectives_contribute_to_objectives_of_the_state(yearly):
    state = {plan.year: {one.key for one in plan.objectives} for plan in yearly if plan.institution == "EST"}
    for plan in yearly:
        for objective in plan.objectives:
            assert not objective.contributes_to or objective.contributes_to in state[plan.year]


@pytest.mark.parametrize("sheet", sheets.SHEETS, ids=lambda sheet: sheet.code)
def test_a_sheet_can_be_computed_and_is_written_in_both_languages(sheet):
    numbers = Sheet(
        sense=sheet.sense, over_units=sheet.over_units, over_time=sheet.over_time,
        den_over_units=sheet.denominator_over_units, den_over_time=sheet.denominator_over_time, scale=sheet.scale,
        light_by=sheet.light_by, is_count=sheet.is_count, has_denominator=sheet.denominator_kind != sheets.NONE,
        population_denominator=sheet.denominator_kind == sheets.POPULATION,
    )  # fmt: skip
    assert numbers.problems() == []
    assert all((sheet.name, sheet.name_en, sheet.description, sheet.description_en))
    assert sheet.name != sheet.name_en
    assert bool(sheet.denominator) == (sheet.denominator_kind != sheets.NONE)
    assert sheet.over_units != Rule.LAST


def test_people_behind_sheets_have_accounts():
    known = {person.username for person in institutions.PEOPLE}
    assert {sheet.responsible for sheet in sheets.SHEETS} | {sheet.approver for sheet in sheets.SHEETS} <= known


def test_grants_name_units_and_roles_of_the_product_and_try_every_role():
    at, held = institutions.positions(), set()
    for person in institutions.PEOPLE:
        for role, unit in person.grants:
            assert unit in at
            held.add(Role(role))
    assert held == set(Role)
    assert len({person.username for person in institutions.PEOPLE}) == len(institutions.PEOPLE)
