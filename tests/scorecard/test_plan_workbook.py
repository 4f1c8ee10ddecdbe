"""A plan from one workbook and back: round trip, whole or not at all, every fault by sheet, row, field and rule."""

import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from indicators.models import Indicator, SheetVersion, Target, TargetPast
from scorecard import plan_export, plan_import, plan_workbook, plans
from scorecard.models import Objective, Plan, PlanLine, PlanStatus
from tests.factories import small_country
from units.files import FileError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOW = datetime(2023, 11, 20, 15, tzinfo=UTC)
UNIT = "PN-01D01C01"


@pytest.fixture
def country():
    made = small_country(zones=1, districts=1, circuits=2, months=14, cards=False)
    Plan.objects.update(status=PlanStatus.DRAFT)
    return made


@pytest.fixture
def take(country, tmp_path):
    """Take in workbook bytes, or an openpyxl workbook; as the administrator, unless told otherwise."""

    def of(content, **more):
        path = tmp_path / "plan.xlsx"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path)
        return plan_import.take_in(path=path, now=NOW, **{"by": country.people["administrator"]} | more)

    return of


def exported(country, institution="PN"):
    return plan_export.workbook_of(Plan.objects.get(institution__code=institution))


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def put(book, sheet, row, heading, value):
    """Write into a cell by its sheet, row and heading."""
    page = book[sheet]
    headings = [str(cell.value or "").rstrip(" *") for cell in page[1]]
    page.cell(row, headings.index(heading) + 1).value = value


def rules(taken):
    return [(r.sheet, r.row, r.field, r.rule) for r in taken.refused]


MINIMAL = {
    "plan": [{"institution": "PN", "year": 2024}],
    "objectives": [
        {"number": "1", "verb": "reduce", "what": "robos", "means": "patrullas", "weight": 60, "perspective": "Gente"},
        {"number": "2", "verb": "increase", "what": "la confianza", "means": "diálogo", "weight": 40},
    ],
    "lines": [
        {"objective": "1", "indicator": "PN.ROBBERY", "weight": 100, "no_target_because": ""},
        {"objective": "2", "indicator": "PN.SOLVED", "weight": 100},
    ],
    "sheets": [
        {
            "indicator": "PN.ROBBERY", "name": "Robos", "unit_of_measure": "robos", "numerator": "Robos",
            "sense": 2, "is_count": True, "baseline_none_because": "new", "is_entered": True,
        }
    ],
    "targets": [{"indicator": "PN.ROBBERY", "unit": UNIT, "measure": "target", "m01": 5, "m02": 6.5}],
}  # fmt: skip


def book_of(**changed):
    return plan_workbook.write({**MINIMAL, **changed})


# Round trip ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("institution", ["PN", "EST"])
def test_a_plan_taken_in_as_it_went_out_changes_nothing(country, take, language, institution):
    with override(language):
        taken = take(exported(country, institution))
        assert taken.refused == []
        assert taken.is_written
    for part, done in taken.done.items():
        assert (done["new"], done["changed"], done["removed"]) == (0, 0, 0), part
    assert (
        taken.done["objectives"]["unchanged"] == Objective.objects.filter(plan__institution__code=institution).count()
    )
    assert taken.done["targets"]["unchanged"] > 0
    assert not TargetPast.objects.exists()


def test_a_new_plan_comes_in_whole_with_its_sheets_and_targets(country, take):
    taken = take(book_of())
    assert taken.refused == []
    plan = Plan.objects.get(institution__code="PN", year=2024)
    assert [str(o) for o in plan.objectives.all()] == [
        "Reduce robos by means of patrullas",
        "Increase la confianza by means of diálogo",
    ]
    assert list(plan.lines.values_list("indicator__code", "weight")) == [("PN.ROBBERY", 100), ("PN.SOLVED", 100)]
    sheet = SheetVersion.objects.get(indicator__code="PN.ROBBERY")
    assert (sheet.valid_from, sheet.name, sheet.is_count, sheet.is_entered) == (date(2024, 1, 1), "Robos", True, True)
    targets = Target.objects.filter(indicator__code="PN.ROBBERY").values_list("month", "value")
    assert list(targets.order_by("month")) == [(date(2024, 1, 1), 5), (date(2024, 2, 1), 6.5)]
    assert plan.status == PlanStatus.DRAFT
    again = take(book_of())
    assert sum(done[key] for done in again.done.values() for key in ("new", "changed", "removed")) == 0


def test_changes_of_every_part_are_taken_and_what_is_left_out_is_removed(country, take):
    book = opened(exported(country))
    put(book, "Objectives", 2, "what", "los homicidios y asesinatos")
    put(book, "Indicator sheets", 2, "decimals", 3)
    page = book["Lines"]
    kept = [row for row in page.iter_rows(values_only=True) if row[1] != "PN.PATROLS"]
    page.delete_rows(1, page.max_row)
    for row in kept:
        page.append(row)
    for row in range(2, page.max_row + 1):
        if page.cell(row, 2).value == "PN.RESPONSE":
            page.cell(row, 3).value = 100
    targets = book["Targets"]
    targets.cell(2, 4).value = None
    targets.cell(2, 5).value = 77
    taken = take(book)
    assert taken.refused == []
    done = {part: {key: n for key, n in said.items() if n and key != "unchanged"} for part, said in taken.done.items()}
    assert done["objectives"] == {"changed": 1}
    assert done["lines"] == {"changed": 1, "removed": 1}
    assert done["sheets"] == {"changed": 1}
    assert done["targets"] == {"changed": 1, "removed": 1}
    assert not PlanLine.objects.filter(indicator__code="PN.PATROLS").exists()
    assert TargetPast.objects.count() == 2


def test_a_sheet_from_a_later_month_becomes_a_new_version(country, take):
    book = opened(exported(country))
    put(book, "Indicator sheets", 2, "valid from", "2023-07")
    put(book, "Indicator sheets", 2, "decimals", 3)
    assert take(book).refused == []
    code = book["Indicator sheets"].cell(2, 1).value
    versions = SheetVersion.objects.filter(indicator__code=code).order_by("version")
    assert [(v.version, v.valid_from, v.decimals == 3) for v in versions][-1] == (2, date(2023, 7, 1), True)
    assert versions[0].valid_to == date(2023, 7, 1)


def test_units_that_are_not_listed_keep_their_targets(country, take):
    before = Target.objects.exclude(unit__code=UNIT).count()
    book = opened(exported(country))
    page = book["Targets"]
    kept = [row for i, row in enumerate(page.iter_rows(values_only=True)) if i == 0 or row[1] == UNIT]
    page.delete_rows(1, page.max_row)
    for row in kept:
        page.append(row)
    assert take(book).refused == []
    assert Target.objects.exclude(unit__code=UNIT).count() == before


# Faults --------------------------------------------------------------------------------------------------------------


def _objective(**changed):
    return {"objectives": [{**MINIMAL["objectives"][0], **changed}, MINIMAL["objectives"][1]]}


def _line(**changed):
    return {"lines": [{**MINIMAL["lines"][0], **changed}, MINIMAL["lines"][1]]}


def _sheet(**changed):
    return {"sheets": [{**MINIMAL["sheets"][0], **changed}]}


def _target(**changed):
    return {"targets": [{**MINIMAL["targets"][0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "sheet", "row", "field", "rule"),
    [
        ({"plan": [{"institution": "XX", "year": 2024}]}, "Plan", 2, "institution", "unknown_institution"),
        ({"plan": [{"institution": "PN", "year": 1500}]}, "Plan", 2, "year", "not_valid"),
        (_objective(number=""), "Objectives", 2, "number", "missing"),
        (_objective(number="7.1"), "Objectives", 2, "number", "unknown_objective"),
        (_objective(number="2"), "Objectives", 3, "number", "repeated"),
        (_objective(weight=50), "Objectives", 3, "weight", "weights"),
        (_line(objective="9"), "Lines", 2, "objective", "unknown_objective"),
        (_line(indicator="PN.NOTHING"), "Lines", 2, "indicator", "unknown_indicator"),
        (_line(indicator="PN.SOLVED"), "Lines", 3, "indicator", "repeated"),
        (_line(weight=90), "Lines", 2, "weight", "weights"),
        (_sheet(indicator="EST.AGREEMENTS"), "Indicator sheets", 2, "indicator", "foreign_indicator"),
        (_sheet(over_units=4), "Indicator sheets", 2, "denominator_kind", "not_valid"),
        (_sheet(baseline_none_because=""), "Indicator sheets", 2, "baseline_none_because", "not_valid"),
        (_sheet(responsible="nobody.here"), "Indicator sheets", 2, "responsible", "unknown_person"),
        (_target(indicator="PN.NOTHING"), "Targets", 2, "indicator", "unknown_indicator"),
        (_target(unit="PN-77D77"), "Targets", 2, "unit", "unknown_unit"),
        ({"targets": MINIMAL["targets"] * 2}, "Targets", 3, "unit", "repeated"),
        (
            {"targets": [{**MINIMAL["targets"][0], "measure": m, "m01": v} for m, v in (("from", 5), ("to", 4))]},
            "Targets", 2, "low", "range_crossed",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_sheet_row_field_and_rule_and_nothing_is_written(country, take, changed, sheet, row, field, rule):
    taken = take(book_of(**changed))
    assert (sheet, row, field, rule) in rules(taken)
    assert not taken.is_written
    assert not Plan.objects.filter(year=2024).exists()
    assert not Indicator.objects.filter(code="PN.ROBBERY").exists()


@pytest.mark.parametrize(
    ("sheet", "heading", "value", "rule"),
    [
        ("Plan", "year", "soon", "not_a_number"),
        ("Objectives", "verb", "stop", "unknown_choice"),
        ("Objectives", "weight", "much", "not_a_number"),
        ("Indicator sheets", "direction", "sideways", "unknown_choice"),
        ("Indicator sheets", "is a count", "maybe", "unknown_choice"),
        ("Indicator sheets", "valid from", "May", "not_a_month"),
        ("Targets", "01", "1,234", "ambiguous_number"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(country, take, sheet, heading, value, rule):
    book = opened(book_of())
    put(book, sheet, 2, heading, value)
    assert rules(take(book)) == [(sheet, 2, heading, rule)]


def test_an_approved_plan_is_not_replaced(country, take):
    Plan.objects.update(status=PlanStatus.APPROVED)
    taken = take(exported(country))
    assert [r.rule for r in taken.refused] == ["plan_approved"]


def test_the_person_must_be_allowed_to_change_the_institutions_plans(country, take):
    assert take(book_of(), allowed=country.people["administrator"]).refused == []
    assert rules(take(book_of(), allowed=country.people["viewer"])) == [("Plan", 2, "institution", "not_allowed")]
    state = {"plan": [{"institution": "EST", "year": 2024}]}
    assert rules(take(book_of(**state), allowed=country.people["administrator"]))[0][3] == "not_allowed"


def test_a_workbook_of_another_layout_says_what_was_expected(country, take):
    book = openpyxl.Workbook()
    book.active["A1"] = "something"
    with pytest.raises(FileError, match=r"expected the sheets Plan, Objectives, Lines; found Sheet"):
        take(book)
    book = opened(book_of())
    book["Lines"]["C1"] = "mass"
    with pytest.raises(FileError, match=r"plan.xlsx, Lines has another layout: expected the columns weight"):
        take(book)


def test_spanish_words_are_read_whatever_the_language(country, take):
    with override("es"):
        content = book_of()
    book = opened(content)
    assert "Fichas" in book.sheetnames
    put(book, "Objetivos", 2, "verbo", "Reducir")
    put(book, "Metas", 2, "dato", "meta")
    put(book, "Fichas", 2, "es conteo", "sí")
    taken = take(book)
    assert taken.refused == []
    assert Objective.objects.filter(plan__year=2024, verb="reduce").exists()


def test_the_template_lists_the_choices(country):
    book = opened(plan_workbook.template())
    assert book.sheetnames == ["Plan", "Objectives", "Lines", "Indicator sheets", "Targets", "Notes"]
    notes = [row for row in book["Notes"].iter_rows(values_only=True) if row[0]]
    assert ("Indicator sheets", "direction") in [row[:2] for row in notes]


# The command and the page --------------------------------------------------------------------------------------------


def test_the_command_takes_a_plan_in_and_writes_one_out(country, tmp_path, capsys):
    path = tmp_path / "plan.xlsx"
    path.write_bytes(book_of())
    call_command("import_plan", str(path), "--dry-run")
    assert not Plan.objects.filter(year=2024).exists()
    call_command("import_plan", str(path), by="administrator")
    assert "National Police 2024: objectives: new 2" in capsys.readouterr().out
    call_command("import_plan", str(tmp_path / "out.xlsx"), export="PN:2024")
    assert opened((tmp_path / "out.xlsx").read_bytes())["Lines"].max_row == 3
    with pytest.raises(CommandError, match="There is no plan PN:1999"):
        call_command("import_plan", str(tmp_path / "out.xlsx"), export="PN:1999")
    path.write_bytes(book_of(**_line(weight=90)))
    with pytest.raises(CommandError, match="1 row was refused: nothing was loaded"):
        call_command("import_plan", str(path))
    assert (
        "sheet Lines, row 2, weight: The weights below 1 add up to 90, not to 100. [weights]" in capsys.readouterr().err
    )


def test_objective_numbers_outlive_lines_among_them(country):
    """An objective after lines is numbered on from them; going out and in it is still the same one."""
    plan = Plan.objects.get(institution__code="PN")
    parent = plan.objectives.get(what="la respuesta")
    line = PlanLine(plan=plan, objective=parent, indicator=Indicator.objects.get(code="EST.AGREEMENTS"), weight=0)
    line.save()
    numbers = [node.number for node in plans.outline(plan).root.walk() if node.objective]
    assert numbers == ["1", "2", "2.2", "2.3"]
    book = opened(plan_export.workbook_of(plan))
    assert [row[0].value for row in book["Objectives"].iter_rows(min_row=2)] == numbers
