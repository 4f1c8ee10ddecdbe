"""Tabular files into columns with row numbers: XLSX and CSV as people send them, guarded before anything is read.

A file that cannot be what it says it is (too large, empty, truncated, damaged, of another layout) raises FileError,
whose text is one line that says what was expected and what was found.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import python_calamine
from django.conf import settings
from django.utils.translation import gettext as _

UNPACKED_LIMIT = 1200 * 2**20  # bytes of a workbook unpacked
CELLS_LIMIT = 60_000_000  # a sheet is read as a whole rectangle, up to its furthest cell
HEADER_WITHIN = 40  # rows in which the header is looked for: a cover may stand above it
DELIMITERS = (";", ",", "\t", "|")
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
CHUNK = 1 << 20
_CELL = re.compile(rb'<(?:\w+:)?c r="([A-Z]+)[0-9]+"')
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="([0-9]+)"')


class FileError(ValueError):
    """The file cannot be read at all. `rule` names why; the text says it to the person who sent it."""

    def __init__(self, rule, message):
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class Field:
    """A column that a file may have: our name for it, the headings it goes by, and whether a file can do without."""

    name: str
    headings: tuple[str, ...]
    is_required: bool = True


@dataclass
class Sheet:
    """Rows of cells as they stand: row i here is row i + 1 of the file. `delimiter` is empty for a workbook's sheet."""

    name: str
    rows: list
    delimiter: str = ""


@dataclass
class Columns:
    """A table's columns by field, without empty rows. `numbers`: each row's number in the file, as people see it."""

    sheet: str
    header: list
    numbers: list = field(default_factory=list)
    cells: dict = field(default_factory=dict)  # field name -> list of raw cells; only fields that the file has
    rows: list = field(default_factory=list)  # the whole rows, as they are given back when refused
    decimal_comma: bool | None = None

    def __len__(self):
        return len(self.numbers)

    def get(self, name):
        """Raw cells of a field; a file without that column has it empty."""
        return self.cells[name] if name in self.cells else [None] * len(self)


def digest(path):
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def guarded(path, limit=None):
    """The path of a file that exists, has content and is not too large; FileError otherwise."""
    path = Path(path)
    limit = settings.MAX_IMPORT_BYTES if limit is None else limit
    if not path.is_file():
        raise FileError("no_file", _("There is no file %(name)s.") % {"name": path})
    size = path.stat().st_size
    if size == 0:
        raise FileError("empty", _("%(name)s is empty.") % {"name": path.name})
    if size > limit:
        figures = {"name": path.name, "size": f"{size / 2**20:.0f}", "limit": f"{limit / 2**20:.0f}"}
        message = _("%(name)s has %(size)s MB; a file may have %(limit)s MB. Split it and send the parts.")
        raise FileError("too_large", message % figures)
    return path


def read_sheets(path, limit=None):
    """Every sheet of a workbook, or the text of a CSV cut by each delimiter that its first lines have. Non-empty."""
    path = guarded(path, limit)
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith(b"PK"):
        return _workbook(path)
    if start == OLD_EXCEL:
        raise FileError("old_excel", _("%(name)s is an old Excel file (.xls): save it as .xlsx.") % {"name": path.name})
    if path.suffix.lower() in (".xlsx", ".xlsm", ".zip"):
        raise _damaged(path, "no ZIP")
    return _texts(path)


def read_columns(path, fields, *, sheet="", limit=None):
    """The columns of the first sheet whose header has every required field. Raises FileError naming what is missing."""
    sheets = [s for s in read_sheets(path, limit) if not sheet or fold(s.name) == fold(sheet)]
    return columns_of(sheets, fields, name=Path(path).name)


def columns_of(sheets, fields, *, name):
    """As `read_columns`, of sheets that were read already."""
    nearest = None
    for candidate in sheets:
        at, places, missing = _find_header(candidate.rows, fields)
        if not missing:
            return _columns(candidate, at, places, name)
        if nearest is None or len(missing) < len(nearest[1]):
            nearest = (candidate.rows[at] if candidate.rows else [], missing)
    seen, missing = nearest or ([], [f.headings[0] for f in fields if f.is_required])
    said = ", ".join(text(cell) for cell in seen if text(cell))[:200] or _("nothing")
    figures = {"name": name, "missing": ", ".join(missing), "found": said}
    message = _("%(name)s has another layout: expected the columns %(missing)s; found %(found)s.")
    raise FileError("other_layout", message % figures)


# Cells


def text(cell):
    """A cell as text, without spaces around it: a whole number has no decimals, an empty cell is ""."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip()


def fold(cell):
    """Text as it is compared: small letters, no accents, single spaces; `_`, `-` and `.` count as spaces."""
    plain = unicodedata.normalize("NFKD", text(cell)).lower()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


# Workbooks


def _damaged(path, error):
    message = _("%(name)s is truncated or damaged, or is no .xlsx file (%(error)s). Send it again.")
    return FileError("damaged", message % {"name": path.name, "error": str(error)[:120]})


def _workbook(path):
    _check_package(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        found = [Sheet(n, book.get_sheet_by_name(n).to_python(skip_empty_area=False)) for n in book.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    found = [sheet for sheet in found if sheet.rows]
    if not found:
        raise FileError("empty", _("%(name)s is empty.") % {"name": path.name})
    return found


def _check_package(path):
    """Unpack the whole package once, counting: what is truncated, damaged, no workbook or a bomb ends here."""
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            if not any(member.filename == "xl/workbook.xml" for member in members):
                raise _damaged(path, "xl/workbook.xml")
            is_bomb = sum(member.file_size for member in members) > UNPACKED_LIMIT
            if is_bomb or any(_cells(package, member) > CELLS_LIMIT for member in members):
                raise FileError("bomb", _("%(name)s unpacks to more than can be read.") % {"name": path.name})
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise _damaged(path, error) from error


def _cells(package, member):
    """Cells of a sheet's rectangle; reading a member to its end also checks its checksum. 0 for other members."""
    is_sheet = member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml")
    last_row, letters, tail = 0, set(), b""
    with package.open(member) as stream:
        while chunk := stream.read(CHUNK):
            if is_sheet:
                part = tail + chunk
                letters.update(_CELL.findall(part))
                last_row = max(last_row, max(map(int, _ROW.findall(part)), default=0))
                tail = part[-200:]
    return last_row * max(map(_column_number, letters), default=0)


def _column_number(letters):
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


# Texts


def _texts(path):
    content = _decoded(path)
    if not content.strip():
        raise FileError("empty", _("%(name)s is empty.") % {"name": path.name})
    head = content[: 1 << 18].splitlines()[:HEADER_WITHIN]
    given = [d for d in DELIMITERS if any(d in line for line in head)] or [DELIMITERS[1]]
    return [Sheet("", _Lazy(path, content, delimiter), delimiter) for delimiter in given]


class _Lazy:
    """Rows of a text cut by a delimiter: its head at once, the rest when it is known that the delimiter fits."""

    def __init__(self, path, content, delimiter):
        self.path, self.content, self.delimiter = path, content, delimiter
        self.head = list(csv.reader(content[: 1 << 18].splitlines()[:HEADER_WITHIN], delimiter=delimiter))

    def __getitem__(self, index):
        return self.head[index]

    def __len__(self):
        return len(self.head)

    def whole(self, width):
        try:
            rows = list(csv.reader(io.StringIO(self.content, newline=""), delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            raise self._truncated(error) from error
        if not self.content.endswith(("\n", "\r")) and len(rows[-1]) < width:
            raise self._truncated(f"{len(rows[-1])} < {width}")
        return rows

    def _truncated(self, error):
        message = _("%(name)s is truncated or is no CSV file (%(error)s). Send it again.")
        return FileError("truncated", message % {"name": self.path.name, "error": str(error)[:120]})


def _decoded(path):
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data:
        raise FileError("not_text", _("%(name)s is neither a workbook (.xlsx) nor text (.csv).") % {"name": path.name})
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            fault = error
    raise FileError("not_text", _("%(name)s is no text: %(error)s.") % {"name": path.name, "error": str(fault)[:120]})


# Headers


def _find_header(rows, fields):
    """(row index, {field: column}, headings missing) of the row that has most of the required fields."""
    best = (0, {}, [f.headings[0] for f in fields if f.is_required])
    for at in range(min(len(rows), HEADER_WITHIN)):
        given = [fold(cell) for cell in rows[at]]
        places = {f.name: place for f in fields if (place := _place(f, given)) is not None}
        missing = [f.headings[0] for f in fields if f.is_required and f.name not in places]
        if len(missing) < len(best[2]) or not missing:
            best = (at, places, missing)
        if not missing:
            break
    return best


def _place(wanted, given):
    return next((given.index(h) for h in map(fold, wanted.headings) if h in given), None)


def _columns(sheet, at, places, name):
    rows = sheet.rows
    header = [text(cell) for cell in rows[at]]
    if isinstance(rows, _Lazy):
        rows = rows.whole(len(header))
        at = next(i for i, row in enumerate(rows) if [text(cell) for cell in row] == header)
    width = max(places.values(), default=-1) + 1
    found = Columns(sheet.name, header, cells={name: [] for name in places})
    found.decimal_comma = True if sheet.delimiter == ";" else False if sheet.delimiter else None
    lists = [(found.cells[name], place) for name, place in places.items()]
    for number, row in enumerate(rows[at + 1 :], at + 2):
        if not any(cell not in (None, "") and text(cell) for cell in row):
            continue
        whole = row if len(row) >= width else [*row, *[None] * (width - len(row))]
        found.numbers.append(number)
        found.rows.append(row)
        for cells, place in lists:
            cells.append(whole[place])
    if not found.numbers:
        raise FileError("empty", _("%(name)s has a header and no rows below it.") % {"name": name})
    return found
