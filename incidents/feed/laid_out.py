"""A body in an institution's own columns, as a declarative layout names them; and what is wrong in those same names."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings

from incidents import layout as layouts
from incidents.feed import decode
from incidents.feed.decode import CSV, NDJSON, BodyError
from incidents.feed.items import Broken, Fault
from incidents.feed_layouts import to_items
from units.api import broken_off

OF_ITEM = {"external_id": "id", "occurred_on": "date", "occurred": "date", "occurred_at": "time"}
PERSON = re.compile(r"(victim|victimizer)s\.\d+\.(.+)")


@dataclass
class Source:
    """How an item is named at its source: the row (from 1; of a table its line) and the headings that it has."""

    layout: layouts.Layout
    rows: list
    headings: list

    def column(self, n, field):
        """The source's own name of an item's field: as item n gave it, else the first that the layout knows."""
        name = PERSON.sub(r"\1.\2", field.removeprefix("variables."))
        name = OF_ITEM.get(name, name)
        name = "date" if name == "time" and "time" not in self.layout.headings else name.removesuffix("_at")
        known = self.layout.fields()
        for one in (name, f"{name}.label"):
            for text in known.get(one, ()):
                if text in self.headings[n]:
                    return self.headings[n][text]
        return known[name][0] if name in known else field


def names():
    """Layouts whose rows say which event they tell of: of the others nothing could be sent again or corrected."""
    return [name for name in layouts.names() if "id" in layouts.load(name).headings]


def decoded(body, kind, layout_name, *, is_short=False):
    """(Decoded, Source) of a body (bytes), as decode.decode. Raises BodyError where nothing of it can be read."""
    layout = layouts.load(layout_name)
    body, is_cut = decode.stripped(body, kind, is_short)
    try:
        rows, numbers, cut = {CSV: _table, NDJSON: _lines}.get(kind, _json)(body, layout)
    except RecursionError:
        raise BodyError("body_deep") from None
    cut = len(rows) if is_cut and cut is None else cut
    if not rows and cut is None:
        raise BodyError("body_empty")
    good = [n for n, row in enumerate(rows) if not isinstance(row, Broken)]
    taken = decode.converted(to_items([rows[n] for n in good], layout, zone=ZoneInfo(settings.TIME_ZONE)))
    items = list(rows)
    for n, item in zip(good, taken.items, strict=True):
        items[n] = item
    return decode.Decoded(items, cut), Source(layout, numbers, _headings(rows))


def _headings(rows):
    """{heading as compared: as written} of every row; rows of one table share one dict."""
    known, found = {}, []
    for row in rows:
        given = tuple(row) if isinstance(row, dict) else ()
        if given not in known:
            known[given] = {layouts.heading(name): str(name) for name in reversed(given)}
        found.append(known[given])
    return found


def _json(body, layout):
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = broken_off.whole_items(body, "incidents")
        if not whole:
            raise decode.malformed(error) from None
        return [msgspec.json.decode(raw) for raw in whole], list(range(1, len(whole) + 1)), len(whole)
    if isinstance(said, dict) and set(said) == {"incidents"} and isinstance(said["incidents"], list):
        said = said["incidents"]
    rows = said if isinstance(said, list) else [said]
    return rows, list(range(1, len(rows) + 1)), None


def _lines(body, layout):
    rows, numbers, lines = [], [], body.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if number == len(lines):  # no line's end after it, and no JSON: the rest never came
                return rows, numbers, len(rows)
            rows.append(Broken("", [Fault("", "json_malformed", str(error)[:120])]))
        numbers.append(number)
    return rows, numbers, None


def _table(body, layout):
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BodyError("body_encoding") from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows, numbers = [], []
    try:
        header = [name.strip() for name in next(reader)]
        _check_header(header, layout)
        for row in broken_off.rows(reader):
            if row is None:
                rows.append(Broken("", [Fault("", "item_unreadable", f'line {reader.line_num}: "')]))
            elif len(row) == len(header):
                rows.append(dict(zip(header, row, strict=True)))
            elif not row:
                continue
            elif len(row) < len(header) and not text.endswith("\n") and reader.line_num > text.count("\n"):
                return rows, numbers, len(rows)
            else:
                rows.append(Broken("", [Fault("", "row_length", str(len(row)))]))
            numbers.append(reader.line_num)
    except csv.Error:  # a quotation that never ends
        return rows, numbers, len(rows)
    return rows, numbers, None


def _check_header(header, layout):
    given = {layouts.heading(name) for name in header}
    for field in layout.required:
        if not given & set(layout.headings[field]):
            raise BodyError("header_unreadable", layout.headings[field][0])
    if len(set(header)) != len(header):
        raise BodyError("header_unreadable", "...")


def name_items(items, source):
    """Say of each item in an answer its row at the source, and of each error the source's own column."""
    for item in items:
        item["row"] = source.rows[item["index"]]
        for error in item.get("errors", ()):
            if error["field"]:
                error["column"] = source.column(item["index"], error["field"])
    return items
