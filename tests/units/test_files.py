"""Files as people send them: every layout that is read, and every fault that is said in one line."""

import math
import zipfile
from datetime import UTC, date, datetime

import pytest
import xlsxwriter

from units import cells
from units.files import Field, FileError, fold, read_columns, text

pytestmark = pytest.mark.usefixtures("english")
FIELDS = [
    Field("month", ("month", "mes")),
    Field("unit", ("unit", "unidad")),
    Field("value", ("value", "valor"), False),
]


def write(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def workbook(path, rows, sheet="Hoja1"):
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet(sheet)
    for i, row in enumerate(rows):
        page.write_row(i, 0, row)
    book.close()
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding_are_found(tmp_path, delimiter, encoding):
    lines = [["Mes", "Unidad", "Valor"], ["2023-05", "Cañar", "3"]]
    content = "\r\n".join(delimiter.join(line) for line in lines) + "\r\n"
    found = read_columns(write(tmp_path, content.encode(encoding)), FIELDS)
    assert (found.get("month"), found.get("unit"), found.get("value")) == (["2023-05"], ["Cañar"], ["3"])
    assert found.numbers == [2]


def test_a_cover_above_the_header_and_empty_rows_keep_the_numbers_of_the_file(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["Informe"], [], ["UNIDAD", " mes "], ["A", "2023-01"], [], ["B", "2023-02"]])
    found = read_columns(path, FIELDS)
    assert (found.numbers, found.get("unit"), found.get("value")) == ([4, 6], ["A", "B"], [None, None])


def test_the_sheet_that_fits_is_found_among_others(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "b.xlsx")
    book.add_worksheet("Notas").write(0, 0, "nothing here")
    page = book.add_worksheet("Datos")
    page.write_row(0, 0, ["month", "unit"])
    page.write_row(1, 0, ["2023-01", "A"])
    book.close()
    assert read_columns(tmp_path / "b.xlsx", FIELDS).sheet == "Datos"


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"  \n \n", "empty"),
        ("a.csv", b"month,unit\n", "empty"),
        ("a.csv", b"one,two\n1,2\n", "other_layout"),
        ("a.csv", b'month,unit\n2023-01,"A\n', "truncated"),
        ("a.csv", b"month,unit,value\n2023-01,A,1\n2023-0", "truncated"),
        ("a.csv", b"month,unit\n\0\0\0", "not_text"),
        ("a.xls", b"\xd0\xcf\x11\xe0rest", "old_excel"),
        ("a.xlsx", b"month,unit\n2023-01,A\n", "damaged"),
        ("a.xlsx", b"PK\x03\x04 cut off here", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_in_one_line(tmp_path, name, content, rule):
    with pytest.raises(FileError) as caught:
        read_columns(write(tmp_path, content, name), FIELDS)
    assert caught.value.rule == rule
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_another_layout_names_what_was_expected_and_found(tmp_path):
    with pytest.raises(FileError, match=r"expected the columns unit; found Mes, Valor"):
        read_columns(write(tmp_path, "Mes,Valor\n2023-01,2\n"), FIELDS)


def test_a_truncated_workbook_is_damaged(tmp_path):
    path = workbook(tmp_path / "c.xlsx", [["month", "unit"]] + [["2023-01", "A"]] * 500)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(FileError, match="truncated or damaged"):
        read_columns(path, FIELDS)


def test_a_workbook_whose_content_was_altered_is_damaged(tmp_path):
    path = workbook(tmp_path / "c.xlsx", [["month", "unit"]] + [["2023-01", "A"]] * 500)
    with zipfile.ZipFile(path) as package:
        at = package.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    content = bytearray(path.read_bytes())
    content[at : at + 20] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(FileError, match="truncated or damaged"):
        read_columns(path, FIELDS)


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path, settings):
    settings.MAX_IMPORT_BYTES = 3 * 2**20
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(5 * 2**20)
    with pytest.raises(FileError, match=r"has 5 MB; a file may have 3 MB"):
        read_columns(path, FIELDS)


def test_a_sheet_with_a_cell_at_its_far_end_is_refused(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "far.xlsx")
    page = book.add_worksheet()
    page.write_row(0, 0, ["month", "unit"])
    page.write(1_048_575, 16_383, "far")
    book.close()
    with pytest.raises(FileError) as caught:
        read_columns(tmp_path / "far.xlsx", FIELDS)
    assert caught.value.rule == "bomb"


def test_cells_as_text():
    assert [text(c) for c in (None, " a ", 101.0, 1.5, 7)] == ["", "a", "101", "1.5", "7"]
    assert fold(" Código_del  Cantón ") == "codigo del canton"


@pytest.mark.parametrize(
    ("cell", "decimal_comma", "expected"),
    [
        ("12", None, 12),
        ("-3", None, -3),
        ("\u22123,5", None, -3.5),
        ("12,5", None, 12.5),
        ("12.5", None, 12.5),
        ("0,125", None, 0.125),
        ("0.125", None, 0.125),
        ("1234,567", None, 1234.567),
        ("1.234,5", None, 1234.5),
        ("1,234.5", None, 1234.5),
        ("1.234.567", None, 1234567),
        ("1\u00a0234\u00a0567,25", None, 1234567.25),
        ("1.234", True, 1234),
        ("1.234", False, 1.234),
        ("1,234", True, 1.234),
        ("1,234", False, 1234),
        ("1.5e3", None, 1500),
        (7, None, 7),
        (0.0, None, 0),
    ],
)
def test_numbers_as_people_write_them(cell, decimal_comma, expected):
    assert cells.number(cell, decimal_comma) == expected


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_an_empty_cell_is_no_number_and_no_zero(empty):
    assert math.isnan(cells.number(empty))


@pytest.mark.parametrize(
    ("cell", "rule"),
    [("1.234", "ambiguous_number"), ("12,345", "ambiguous_number"), ("abc", "not_a_number"), ("1,2,3", "not_a_number"),
     ("12 5", "not_a_number"), (True, "not_a_number"), (date(2023, 1, 1), "not_a_number"), ("nan", "not_a_number")],
)  # fmt: skip
def test_what_cannot_be_told_is_not_guessed(cell, rule):
    with pytest.raises(cells.CellError) as caught:
        cells.number(cell)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("written", "expected"),
    [(["1.234", "0,5"], True), (["1,234", "0.5"], False), (["1.234,5"], True), (["1,234,567"], False),
     (["1.234"], None), (["0,5", "0.5"], None), (["3", 4.0, None], None)],
)  # fmt: skip
def test_a_file_shows_its_decimal_mark_by_the_numbers_that_leave_no_doubt(written, expected):
    assert cells.decimal_mark(written) is expected


def test_days_and_months():
    for given in ("17/05/2023", "2023-05-17", date(2023, 5, 17), datetime(2023, 5, 17, 8, tzinfo=UTC)):
        assert cells.day(given) == date(2023, 5, 17)
    for given in ("2023-05", "05/2023", "2023-05-17", "17/05/2023", date(2023, 5, 17), "2023-05-01 00:00:00"):
        assert cells.month(given) == date(2023, 5, 1)
    for given in ("May", "2023", "2023-13", "31/02/2023", "", None):
        with pytest.raises(cells.CellError):
            cells.month(given)


def test_a_whole_number_may_have_thousands_apart_but_no_fraction():
    assert [cells.whole(c) for c in ("17.510", "17,510,643", 5.0, "")] == [17510, 17510643, 5, None]
    with pytest.raises(cells.CellError, match="not_whole"):
        cells.whole("2,5")
