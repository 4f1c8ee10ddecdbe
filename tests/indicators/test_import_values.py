"""Figures from CSV and XLSX: what a cell says, what is refused by which rule, and that nothing comes in by halves."""

from datetime import UTC, date, datetime

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command

from indicators import imports
from indicators.models import Batch, Measurement, MeasurementPast
from tests.factories import small_country

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOW = datetime(2023, 11, 20, 15, tzinfo=UTC)
A, B = "PN-01D01C01", "PN-01D01C02"


@pytest.fixture
def country():
    made = small_country(zones=1, districts=1, circuits=2, months=2, cards=False)
    Measurement.objects.all().delete()
    return made


@pytest.fixture
def take(country, tmp_path):
    def of(content, **more):
        path = tmp_path / "values.csv"
        path.write_text(content)
        more = {"by": country.people["reporter"], "now": NOW} | more
        return imports.take_in(path=path, **more)

    return of


def says():
    rows = Measurement.objects.select_related("indicator", "unit").order_by("indicator__code", "unit__code")
    return [(m.indicator.code, m.unit.code, m.numerator, m.denominator, m.state) for m in rows]


def test_every_state_of_a_row(take):
    taken = take(
        "month,indicator,unit,value,denominator,state\n"
        f"2023-10,PN.HOMICIDES,{A},0,,\n"
        f"2023-10,PN.HOMICIDES,{B},,,\n"
        f"2023-10,PN.PATROLS,{A},n/a,,\n"
        f"2023-10,PN.PATROLS,{B},,,no aplica\n"
        f"2023-10,PN.SOLVED,{A},5,10,figure\n"
    )
    assert says() == [
        ("PN.HOMICIDES", A, 0.0, None, 1),
        ("PN.PATROLS", A, None, None, 2),
        ("PN.PATROLS", B, None, None, 2),
        ("PN.SOLVED", A, 5.0, 10.0, 1),
    ]
    assert (taken.written.created, taken.empty, taken.refused) == (4, 1, [])


def test_an_empty_cell_leaves_the_figure_and_blank_takes_it_back(take):
    take(f"month,indicator,unit,value\n2023-10,PN.HOMICIDES,{A},3\n2023-10,PN.HOMICIDES,{B},4\n")
    head = "month,indicator,unit,value,state\n"
    taken = take(f"{head}2023-10,PN.HOMICIDES,{A},,\n2023-10,PN.HOMICIDES,{B},,blank\n")
    assert says() == [("PN.HOMICIDES", A, 3.0, None, 1)]
    assert (taken.empty, taken.written.blanked) == (1, 1)
    assert MeasurementPast.objects.get().reason == "values.csv"


def test_spanish_headings_decimal_commas_and_days(take):
    take(f"Mes;Indicador;Unidad;Valor\n15/10/2023;PN.RESPONSE;{A};8,5\n10/2023;pn.response;{B};1.234,5\n")
    assert says() == [("PN.RESPONSE", A, 8.5, None, 1), ("PN.RESPONSE", B, 1234.5, None, 1)]


def test_the_same_file_twice_changes_nothing(take):
    content = f"month,indicator,unit,value\n2023-10,PN.HOMICIDES,{A},3\n"
    take(content)
    taken = take(content)
    assert (taken.written.unchanged, taken.written.changed, MeasurementPast.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize(
    ("row", "about", "rule"),
    [
        (f"October,PN.HOMICIDES,{A},3,,", "month", "not_a_month"),
        (f"2023-10,PN.HOMICIDES,{A},three,,", "numerator", "not_a_number"),
        (f'2023-10,PN.SOLVED,{A},3,"x",', "denominator", "not_a_number"),
        (f"2023-10,PN.HOMICIDES,{A},3,,perhaps", "state", "unknown_state"),
        (f"2023-10,PN.HOMICIDES,{A},3,,n/a", "state", "figure_and_state"),
        (f"2023-10,PN.HOMICIDES,{A},,,figure", "numerator", "figure_missing"),
        (f"2023-10,PN.NOTHING,{A},3,,", "indicator", "unknown_indicator"),
        ("2023-10,PN.HOMICIDES,PN-77D77,3,,", "unit", "unknown_unit"),
        ("2023-10,PN.HOMICIDES,PN-EC,3,,", "unit", "not_assigned"),
        (f"2024-10,PN.HOMICIDES,{A},3,,", "month", "future_month"),
        (f"2023-10,PN.HOMICIDES,{B},9,,", "unit", "repeated"),
        (f"2023-10,PN.SOLVED,{A},9,0,", "denominator", "division_by_zero"),
    ],
)
def test_a_bad_row_names_field_and_rule_and_nothing_is_written(take, row, about, rule):
    content = f"month,indicator,unit,value,denominator,state\n2023-10,PN.HOMICIDES,{B},1,,\n{row}\n"
    taken = take(content)
    assert [(r.row, r.field, r.rule) for r in taken.refused] == [(3, about, rule)]
    assert (says(), taken.batch, taken.written.created) == ([], None, 0)
    taken = take(content, accept_valid=True)
    assert says() == [("PN.HOMICIDES", B, 1.0, None, 1)]
    assert len(taken.refused) == 1


def test_refusals_of_every_kind_come_together_in_the_order_of_rows(take):
    taken = take(
        "month,indicator,unit,value\n"
        f"2023-10,PN.HOMICIDES,{A},-1\n2023-99,PN.HOMICIDES,{A},1\n2023-10,PN.HOMICIDES,{B},1\n2023-10,X,{B},1\n"
    )
    assert [(r.row, r.rule) for r in taken.refused] == [
        (2, "negative_count"),
        (3, "not_a_month"),
        (5, "unknown_indicator"),
    ]


def test_a_number_that_could_be_two_is_not_guessed(take, tmp_path, country):
    path = tmp_path / "text.xlsx"
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet()
    page.write_row(0, 0, ["month", "indicator", "unit", "value"])
    page.write_row(1, 0, ["2023-10", "PN.RESPONSE", A, "1.234"])
    page.write_row(2, 0, [date(2023, 10, 5).isoformat(), "PN.RESPONSE", B, 7.25])
    book.close()
    taken = imports.take_in(by=None, path=path, now=NOW)
    assert [(r.row, r.rule) for r in taken.refused] == [(2, "ambiguous_number")]


def test_units_that_the_person_may_not_enter_for_are_refused(take, country):
    content = f"month,indicator,unit,value\n2023-10,PN.HOMICIDES,{A},1\n2023-10,PN.HOMICIDES,{B},1\n"
    taken = take(content, units_allowed={country.units[A].pk})
    assert [(r.row, r.rule) for r in taken.refused] == [(3, "not_allowed")]


def test_a_dry_run_counts_and_writes_nothing(take):
    taken = take(f"month,indicator,unit,value\n2023-10,PN.HOMICIDES,{A},1\n", dry_run=True)
    assert (taken.written.created, says(), Batch.objects.filter(kind="values").count()) == (1, [], 0)


def test_the_command_says_what_it_did_and_gives_refused_rows_back(country, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "october.csv"
    path.write_text(f"month,indicator,unit,value\n2023-10,PN.HOMICIDES,{A},1\n2023-10,PN.HOMICIDES,{B},-1\n")
    with pytest.raises(CommandError, match="1 row was refused: nothing was loaded"):
        call_command("import_values", str(path))
    call_command("import_values", str(path), "--accept-valid", "--approved", by="reporter")
    assert "Figures: 1 new, 0 changed" in capsys.readouterr().out
    back = (tmp_path / "october.refused.csv").read_text("utf-8-sig").splitlines()
    assert back[1] == f"3,numerator,negative_count,A count cannot be below zero.,2023-10,PN.HOMICIDES,{B},-1"
    figure = Measurement.objects.get()
    assert (figure.is_provisional, figure.source, figure.recorded_by_id) == (
        False,
        "file",
        country.people["reporter"].pk,
    )
