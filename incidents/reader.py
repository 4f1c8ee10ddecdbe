"""A published file to the table of its layout: which sheet, or which way of cutting a text, has its headings."""

from dataclasses import dataclass

from incidents.layout import HEADER_WITHIN, Found, LayoutError, find_header
from units import files


@dataclass
class Table:
    """Rows of cells as they stand in a file: row i here is row i + 1 there; and where the layout's fields stand."""

    name: str
    rows: list
    found: Found

    @property
    def header(self):
        return [files.text(cell) for cell in self.rows[self.found.header_row]]


def read(path, layout, limit=None):
    """The first table of a file that has the headings of all required fields.

    Raises units.files.FileError for a file that cannot be read at all, LayoutError for one of another layout.
    """
    faults = []
    for sheet in files.read_sheets(path, limit):
        try:
            found = find_header(layout, sheet.rows[:HEADER_WITHIN])
        except LayoutError as fault:
            faults.append(fault)
            continue
        rows = sheet.rows
        if sheet.delimiter:  # so far only the head of a text was cut; a cover's lines may have held line breaks
            rows = rows.whole(len(rows[found.header_row]))
            found = find_header(layout, rows)
        return Table(sheet.name or sheet.delimiter, rows, found)
    raise min(faults, key=lambda fault: (len(fault.missing), -len(fault.seen)))
