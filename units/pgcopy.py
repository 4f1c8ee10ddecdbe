"""NumPy columns to PostgreSQL's binary COPY format, without a Python step a row.

Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format). Rows with the same pattern of NULLs have
the same width, so each pattern is one structured array; the patterns follow one another in the stream.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ELEMENTS = {
    "int2": (">i2", 21), "int4": (">i4", 23), "int8": (">i8", 20),
    "float4": (">f4", 700), "float8": (">f8", 701), "bool": ("?", 16),
}  # fmt: skip
EPOCH = np.datetime64("2000-01-01", "D")


@dataclass
class Column:
    """One column: `kind` is int2, int4, int8, float4, float8, bool, date, timestamptz, text, or an element kind with
    [].

    values: array (rows,) - or (rows, n) for arrays, datetime64 for date; a scalar is the same for every row (text
    always is).
    null: bool array (rows,), or None where nothing is NULL; a scalar None for values makes all rows NULL.
    """

    kind: str
    values: object
    null: np.ndarray | None = field(default=None)


CHUNK = 4096  # rows encoded at once: what is written next is still in the processor's cache


def stream(columns, rows):
    """All rows as one COPY stream (bytes). Row order is kept within a pattern of NULLs."""
    return b"".join(chunks(columns, rows))


def chunks(columns, rows):
    """The COPY stream in pieces: buffers of some thousand rows."""
    yield HEADER
    masks = [c.null for c in columns if c.null is not None and c.null.any()]
    pattern = np.zeros(rows, np.int64)
    for bit, mask in enumerate(masks):
        pattern |= mask.astype(np.int64) << bit
    for p in np.unique(pattern) if masks else [None]:
        index = None if p is None else np.flatnonzero(pattern == p)
        for start in range(0, rows if index is None else len(index), CHUNK):
            some = slice(start, min(start + CHUNK, rows)) if index is None else index[start : start + CHUNK]
            yield _block(columns, some, len(range(*some.indices(rows))) if index is None else len(some))
    yield TRAILER


def _block(columns, index, rows):
    """Rows at `index` (a slice, or ordinals of one pattern of NULLs) as bytes."""
    parts = [("count", ">i2")]
    fills = {"count": len(columns)}
    for number, column in enumerate(columns):
        size, data = f"size{number}", f"data{number}"
        if _is_null(column, index):
            parts.append((size, ">i4"))
            fills[size] = -1
            continue
        dtype, values = _encoded(column, index)
        parts += [(size, ">i4"), (data, dtype)]
        fills[size], fills[data] = np.dtype(dtype).itemsize, values
    block = np.empty(rows, np.dtype(parts))
    for name, values in fills.items():
        if isinstance(values, _Array):
            values.fill(block[name])
        else:
            block[name] = values
    return block.data.cast("B") if rows else b""


def _is_null(column, index):
    if column.values is None:
        return True
    if column.null is None:
        return False
    here = column.null[index]
    return bool(here.size and here[0])


def _encoded(column, index):
    values = column.values
    if isinstance(values, np.ndarray) and values.ndim:
        values = values[index]
    if column.kind.endswith("[]"):
        array = _Array(column.kind[:-2], values)
        return array.dtype, array
    if column.kind == "text":
        raw = str(values).encode()
        return f"V{len(raw)}" if raw else "V0", np.void(raw)
    if column.kind == "date":
        days = (_days(values) - EPOCH).astype(np.int64)
        return ">i4", days
    if column.kind == "timestamptz":
        return ">i8", _microseconds(values)
    return ELEMENTS[column.kind][0], values


def _days(values):
    if isinstance(values, (date, str)):
        return np.datetime64(values, "D")
    return values.astype("datetime64[D]")


def _microseconds(instant):
    return round((instant - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


def _array_dtype(kind, length):
    head = [("ndim", ">i4"), ("flags", ">i4"), ("oid", ">i4")]
    if length:
        items = np.dtype([("size", ">i4"), ("value", ELEMENTS[kind][0])])
        head += [("n", ">i4"), ("lower", ">i4"), ("items", items, (length,))]
    return np.dtype(head)


class _Array:
    """A (rows, n) array as PostgreSQL arrays of n elements without NULLs."""

    def __init__(self, kind, values):
        element, self.oid = ELEMENTS[kind]
        self.values = values
        self.length = values.shape[1]
        self.size = np.dtype(element).itemsize
        self.dtype = _array_dtype(kind, self.length)

    def fill(self, block):
        block["ndim"], block["flags"], block["oid"] = (1 if self.length else 0), 0, self.oid
        if self.length:
            block["n"], block["lower"] = self.length, 1
            block["items"]["size"] = self.size
            block["items"]["value"] = self.values


def copy_in(cursor, table, names, columns, rows):
    """COPY the columns into table(names). `cursor` is a psycopg 3 cursor (Django's, unwrapped, also does)."""
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as copy:
        for piece in chunks(columns, rows):
            copy.write(piece)


def copy_out(cursor, select, fields):
    """COPY (select) TO STDOUT as NumPy arrays by name, in native byte order.

    fields: (name, kind, length) a column, length None for a scalar and the number of elements for an array kind.
    Every row must
    be of that one width: no NULL, and arrays of just that length; ValueError otherwise. Dates come as datetime64[D].
    """
    with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT BINARY)") as copy:
        data = b"".join(bytes(part) for part in copy)
    parts = [("count", ">i2")]
    for name, kind, length in fields:
        element = (
            _array_dtype(kind[:-2], length) if length is not None else np.dtype(_SCALARS.get(kind) or ELEMENTS[kind][0])
        )
        parts += [(f"size {name}", ">i4"), (name, element)]
    dtype = np.dtype(parts)
    body = len(data) - len(HEADER) - len(TRAILER)
    if body % dtype.itemsize:
        raise ValueError("Rows are not all of the expected width.")
    rows = np.frombuffer(data, dtype, body // dtype.itemsize, len(HEADER))
    found = {}
    for name, kind, length in fields:
        column = rows[name]
        if len(rows) and (rows[f"size {name}"] != column.dtype.itemsize).any():
            raise ValueError(f"Column {name} is not of the expected width in every row.")
        if length is not None:
            column = column["items"]["value"] if length else np.empty((len(rows), 0), ELEMENTS[kind[:-2]][0])
        column = column.astype(column.dtype.newbyteorder("="))
        found[name] = EPOCH + column if kind == "date" else column
    return found


_SCALARS = {"date": ">i4"}
