"""A body into columns: JSON (rows, or columns), NDJSON, CSV. Pure; what can be read of a body is kept.

A body that breaks off keeps the rows before the break; JSON that is wrong, and not merely cut, is refused whole.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct

from indicators.sent import table
from indicators.sent.rows import FIELDS, BodyError, Columns, Fault, Row, Table, diagnose
from units.api import broken_off

JSON, NDJSON, CSV = "json", "ndjson", "csv"
KINDS = {
    "": JSON, "application/json": JSON,
    "application/x-ndjson": NDJSON, "application/ndjson": NDJSON, "application/jsonl": NDJSON,
    "text/csv": CSV, "application/csv": CSV,
}  # fmt: skip


class _Items(Struct, forbid_unknown_fields=True):
    items: list[msgspec.Raw]


class _ByColumns(Struct, forbid_unknown_fields=True):
    columns: dict[str, list]


class _TypedColumns(Struct, forbid_unknown_fields=True):
    columns: Columns


_row = msgspec.json.Decoder(Row)
_rows = msgspec.json.Decoder(list[Row])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_items = msgspec.json.Decoder(_Items)
_typed = msgspec.json.Decoder(_TypedColumns)
_by_columns = msgspec.json.Decoder(_ByColumns)


def kind_of(content_type):
    """JSON, NDJSON or CSV. Raises BodyError."""
    try:
        return KINDS[content_type.partition(";")[0].strip().lower()]
    except KeyError:
        raise BodyError("kind_unknown") from None


def decode(body, kind=JSON, *, is_short=False):
    """The Table of a body (bytes); `is_short`: more of it was announced. Raises BodyError where nothing can be read."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise BodyError("body_empty")
    is_cut = kind != JSON and (is_short or broken_off.ends_within_a_letter(body))
    body = broken_off.whole_lines(body) if is_cut else body
    try:
        found = {JSON: _json, NDJSON: _lines, CSV: table.read}[kind](body)
    except RecursionError:
        raise BodyError("body_deep") from None
    except UnicodeDecodeError:
        raise BodyError("body_encoding") from None
    except msgspec.ValidationError:
        raise BodyError("body_shape") from None
    except msgspec.DecodeError as error:
        at = "".join(c for c in str(error).rpartition("byte ")[2] if c.isdigit())
        raise BodyError("body_malformed", "end" if "truncated" in str(error) else at or "0") from None
    if is_cut and found.cut is None:
        found.cut = found.total
    if not found.total and found.cut is None:
        raise BodyError("body_empty")
    return found


def _json(body):
    try:
        return _whole(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        rows = [_read(raw) for raw in broken_off.whole_items(body, "items")]
        if not rows:
            raise
        return _of_rows(rows, cut=len(rows))


def _whole(body):
    if body.lstrip()[:1] == b"[":
        try:
            return _of_rows(_rows.decode(body))
        except msgspec.ValidationError:
            return _one_by_one(_raws.decode(body))
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "columns" in members:
        return _columnar(body)
    return _one_by_one(_items.decode(body).items if "items" in members else [body])


def _columnar(body):
    try:
        said = _typed.decode(body).columns
    except msgspec.ValidationError:
        return _columns_by_row(_by_columns.decode(body).columns)
    rows = len(said.month)
    columns = [getattr(said, name) for name in said.__struct_fields__]
    if any(column is not None and len(column) != rows for column in columns):
        raise BodyError("columns_differ")
    columns = [[None] * rows if column is None else column for column in columns]
    return Table(rows, list(range(rows)), *columns, [UNSET] * rows)


def _columns_by_row(columns):
    """Some value of some column is wrong: the rows are looked at one by one."""
    if len({len(column) for column in columns.values()}) > 1:
        raise BodyError("columns_differ")
    rows = zip(*columns.values(), strict=True)
    return _of_rows([_converted(dict(zip(columns, row, strict=True))) for row in rows])


def _one_by_one(raws):
    return _of_rows([_read(raw) for raw in raws])


def _read(raw):
    """A Row of JSON, or its faults. Raises DecodeError where it is no JSON."""
    try:
        return _row.decode(raw)
    except msgspec.ValidationError:
        return diagnose(msgspec.json.decode(raw))


def _converted(raw):
    try:
        return msgspec.convert(raw, Row)
    except msgspec.ValidationError:
        return diagnose(raw)


def _of_rows(rows, cut=None):
    """Rows (Row, or a list of faults) as columns."""
    faults = {n: row for n, row in enumerate(rows) if type(row) is list}
    at = [n for n in range(len(rows)) if n not in faults] if faults else list(range(len(rows)))
    good = [rows[n] for n in at] if faults else rows
    columns = [[getattr(row, name) for row in good] for name in FIELDS]
    return Table(len(rows), at, *columns, faults=faults, cut=cut)


def _lines(body):
    lines = body.split(b"\n")
    try:
        rows = _row.decode_lines(body)
        if len(rows) == sum(map(bool, map(bytes.strip, lines))):  # each on a line of its own
            return _of_rows(rows)
    except msgspec.DecodeError:
        pass
    rows = []
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            rows.append(_read(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if n == len(lines) - 1:  # no line's end after it, and no JSON: the rest never came
                return _of_rows(rows, cut=len(rows))
            rows.append([Fault("", "json_malformed", str(error)[:120])])
    return _of_rows(rows)
