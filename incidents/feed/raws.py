"""The items of a body one by one as they came, in JSON: what a person is shown of those that were refused. Pure."""

from __future__ import annotations

import csv
import io

import msgspec

from incidents.feed.decode import CSV, NDJSON, listed, nested
from units.api import broken_off


def raws(body, kind, *, is_laid_out=False):
    """JSON (bytes) of every item of a body that decode, or laid_out, could read, in the same order.

    is_laid_out: a row of a table keeps its own columns, for the layout to read it again.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if kind == CSV:
        return _table(body, is_laid_out)
    if kind == NDJSON:
        return [line for line in body.split(b"\n") if line.strip()]
    return [bytes(raw) for raw in listed(body)[0]]


def _table(body, is_laid_out):
    text = body.decode(errors="replace")  # the last row may break off within a letter
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    found = []
    try:
        header = [name.strip() for name in next(reader)]
        for row in broken_off.rows(reader):
            if row == []:
                continue
            row = row or ()  # one whose quotation marks are wrong
            is_whole = len(row) == len(header)
            said = nested(header, row) if is_whole and not is_laid_out else dict(zip(header, row, strict=False))
            found.append(msgspec.json.encode(said))
    except csv.Error:
        pass  # a quotation that never ends: the items before it were taken
    return found
