"""Tables leave as they stand on screen, and say of what unit, month and method they are."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import BadRequest
from django.test import RequestFactory
from django.utils import translation
from python_calamine import CalamineWorkbook

from scorecard.html_tables import table_html
from units.tables import Cell, Column, Table, as_csv, as_xlsx, respond_with

COLUMNS = [
    Column("name", "Name"),
    Column("value", "Value", "number", decimals=1, unit="per 100,000"),
    Column("spark", "12 months", "spark"),
    Column("light", "Light", "light", say=lambda marks: {1: "on target"}.get(marks)),
    Column("month", "Month", "month"),
]


def table(rows, **about):
    notes = [("Unit", "PN-Z8 Zone 8"), ("Month", "May 2023"), ("Method", "=100 v/m, rules 1")]
    return Table("Scorecard", COLUMNS, rows, notes, **about)


ROW = [Cell("Guayaquil", "/units/PN-09", "note"), 4.25, ([1.0], None), 1, date(2023, 5, 1)]


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def lines(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def sheet(content):
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_csv_begins_with_what_it_is_of():
    content = as_csv(table([ROW]))
    assert content.startswith(b"\xef\xbb\xbf")
    read = lines(content)
    assert read[:4] == [
        ["# Table", "Scorecard"],
        ["# Unit", "PN-Z8 Zone 8"],
        ["# Month", "May 2023"],
        ["# Method", "'=100 v/m, rules 1"],
    ]
    assert read[4:6] == [[], ["Name", "Value (per 100,000)", "Light", "Month"]]
    assert read[6] == ["Guayaquil", "4.25", "on target", "2023-05-01"]


def test_xlsx_holds_numbers_as_numbers_and_months_as_dates():
    read = sheet(as_xlsx(table([ROW])))
    assert [row[:2] for row in read[:4]] == [
        ["Table", "Scorecard"],
        ["Unit", "PN-Z8 Zone 8"],
        ["Month", "May 2023"],
        ["Method", "=100 v/m, rules 1"],
    ]
    assert read[5] == ["Name", "Value (per 100,000)", "Light", "Month"]
    assert read[6] == ["Guayaquil", 4.25, "on target", date(2023, 5, 1)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1"])
def test_no_text_becomes_a_formula(text):
    row = [text, 1, None, None, None]
    assert lines(as_csv(table([row])))[6][0] == "'" + " ".join(text.split())
    book = as_xlsx(table([row]))
    assert sheet(book)[6][0] == " ".join(text.split())
    assert CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python() == sheet(book)


def test_missing_is_empty_and_zero_is_zero():
    rows = [["a", float("nan"), None, None, None], ["b", 0.0, None, None, None]]
    assert [row[1] for row in lines(as_csv(table(rows)))[6:]] == ["", "0"]
    assert [row[1] for row in sheet(as_xlsx(table(rows)))[6:]] == ["", 0.0]


def test_negative_numbers_stay_numbers():
    rows = [["a", -3.5, None, None, None]]
    assert lines(as_csv(table(rows)))[6][1] == "-3.5"
    assert sheet(as_xlsx(table(rows)))[6][1] == -3.5


def test_instants_are_told_in_the_countrys_time():
    at = Table("Life", [Column("at", "At", "date")], [[datetime(2023, 5, 1, 3, tzinfo=UTC)]])
    assert lines(as_csv(at))[3] == ["2023-04-30 22:00:00"]


def test_a_page_without_format_answers_no_file():
    assert respond_with(table([ROW]), RequestFactory().get("/units/X/")) is None


def test_only_the_table_that_is_asked_for_is_made():
    made = []

    def tables():
        for name in ("lines", "children", "rest"):
            made.append(name)
            yield Table(name, COLUMNS, [ROW], id=name)

    with pytest.raises(BadRequest, match="pdf"):
        respond_with(tables(), RequestFactory().get("/", {"format": "pdf"}))
    assert made == []
    respond_with(tables(), RequestFactory().get("/", {"format": "csv", "table": "children"}))
    assert made == ["lines", "children"]


def test_another_format_is_refused():
    with pytest.raises(BadRequest, match="pdf"):
        respond_with(table([ROW]), RequestFactory().get("/", {"format": "pdf"}))


def test_a_page_of_two_tables_gives_the_one_asked_for():
    tables = [table([ROW]), Table("Children", COLUMNS[:1], [["Sur"]], id="children", name="PN-Z8 2023-05 children")]
    response = respond_with(tables, RequestFactory().get("/", {"format": "csv", "table": "children"}))
    assert response["Content-Disposition"] == 'attachment; filename="pn-z8-2023-05-children.csv"'
    assert lines(response.content)[-1] == ["Sur"]
    with pytest.raises(BadRequest, match="nothing"):
        respond_with(tables, RequestFactory().get("/", {"format": "csv", "table": "nothing"}))


def test_file_addresses_keep_the_filters_of_the_page():
    offered = table([ROW]).offered_at(RequestFactory().get("/units/X/", {"month": "2023-05", "by": "PN.HOM"}))
    assert offered.csv_href == "/units/X/?month=2023-05&by=PN.HOM&table=table&format=csv"
    assert offered.xlsx_href == "/units/X/?month=2023-05&by=PN.HOM&table=table&format=xlsx"


def test_the_component_draws_the_same_table():
    with translation.override("en"):
        drawn = table_html(table([ROW]).offered_at(RequestFactory().get("/units/X/")))
    assert '<a href="/units/PN-09">Guayaquil</a><small class="sub">note</small>' in drawn
    assert ">4.3<" in drawn
    assert "May 2023" in drawn
    assert 'href="/units/X/?table=table&amp;format=xlsx"' in drawn
