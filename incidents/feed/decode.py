"""A body into items: JSON (one, a list, or {"incidents": [...]}), NDJSON, CSV. Pure.

What can be read is kept: an item that cannot is a Broken in its place, and a body that breaks off keeps the items
before the break. JSON that is wrong, and not merely cut, is refused whole.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import msgspec

from incidents.feed.items import FIELDS, Broken, Fault, Item, diagnose
from units.api import broken_off

LARGE = 2**16  # bytes of a body that is worth a decoder of its own
PIECE = 2**18
JSON, NDJSON, CSV = "json", "ndjson", "csv"
KINDS = {
    "": JSON, "application/json": JSON,
    "application/x-ndjson": NDJSON, "application/ndjson": NDJSON, "application/jsonl": NDJSON,
    "text/csv": CSV, "application/csv": CSV,
}  # fmt: skip
PERSON = re.compile(r"\w+\.[0-9]{1,3}\.[^.]+")  # victim.1.sex
csv.field_size_limit(1 << 27)  # a long cell is refused by its own rule, not by the reader of the table


class BodyError(ValueError):
    """The body cannot be read at all: a rule of rules.BODY, and where."""

    def __init__(self, rule, at=""):
        super().__init__(rule)
        self.rule, self.at = rule, at


@dataclass
class Decoded:
    """Items and Brokens in order; `cut`: the number (from 0) of the item in which the body breaks off, else None."""

    items: list
    cut: int | None = None


class _Wrapper(msgspec.Struct, forbid_unknown_fields=True):
    incidents: list[msgspec.Raw]


_one = msgspec.json.Decoder(Item)
_many = msgspec.json.Decoder(list[Item])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_wrapper = msgspec.json.Decoder(_Wrapper)


def kind_of(content_type):
    """JSON, NDJSON or CSV. Raises BodyError."""
    try:
        return KINDS[content_type.partition(";")[0].strip().lower()]
    except KeyError:
        raise BodyError("kind_unknown") from None


def decode(body, kind=JSON, *, is_short=False, learnt=None):
    """The items of a body (bytes); `is_short`: more of it was announced. Raises BodyError where nothing can be read.

    learnt: what is known of the bodies of who sends it (learnt.Learnt), for a large one.
    """
    body, is_cut = stripped(body, kind, is_short)
    learnt = learnt if kind != CSV and len(body) > LARGE else None
    if learnt:
        learnt.catch_up()
    try:
        decoded = _table(body) if kind == CSV else (_json if kind == JSON else _lines)(body, learnt)
    except RecursionError:
        raise BodyError("body_deep") from None
    if is_cut and decoded.cut is None:
        decoded.cut = len(decoded.items)
    if not decoded.items and decoded.cut is None:
        raise BodyError("body_empty")
    return decoded


def stripped(body, kind, is_short):
    """(body without its mark and the line in which it breaks off, whether it does). Raises BodyError.

    Of JSON the break is seen in the JSON itself.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise BodyError("body_empty")
    is_cut = kind != JSON and (is_short or broken_off.ends_within_a_letter(body))
    return (broken_off.whole_lines(body) if is_cut else body), is_cut


def converted(raws):
    """Items of Python values (dicts), as a connector reads them."""
    return Decoded([_convert(raw, strict=False) for raw in raws])


def _json(body, learnt):
    start = body.lstrip()[:1]
    try:
        if start == b"[":
            return Decoded(_list(body, learnt))
        if b'"incidents"' not in body[:64]:
            return Decoded([_one.decode(body)])
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # some item is wrong, or the end is missing: each is looked at by itself
    raws, is_cut = listed(body)
    try:
        items = [_item(raw) for raw in raws]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(error) from None
    return Decoded(items, cut=len(items) if is_cut else None)


def _list(body, learnt):
    if learnt is None:
        return _many.decode(body)
    items = learnt.list(body)
    if items is None:
        learnt.learn(items := _many.decode(body))
    return items


def listed(body):
    """(the items of a body of JSON, each as it came; whether it breaks off behind them). Raises BodyError."""
    try:
        if body.lstrip()[:1] == b"[":
            return _raws.decode(body), False
        inside = _wrapped(body)
        return [body] if inside is None else inside, False
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = broken_off.whole_items(body, "incidents")
        if not whole:
            raise malformed(error) from None
        return whole, True


def _wrapped(body):
    """The items (msgspec.Raw) of {"incidents": [...]}; None where the body is one item by itself."""
    try:
        return _wrapper.decode(body).incidents
    except msgspec.ValidationError:
        return None


def malformed(error):
    """The BodyError of a body that is no JSON."""
    if isinstance(error, UnicodeDecodeError):
        return BodyError("body_encoding")
    at = "".join(c for c in str(error).rpartition("byte ")[2] if c.isdigit())
    return BodyError("body_malformed", at or "0" if "truncated" not in str(error) else "end")


def _item(raw):
    """An Item of JSON, or what is wrong with it. Raises DecodeError where it is no JSON."""
    try:
        return _one.decode(raw)
    except msgspec.ValidationError as error:
        return diagnose(msgspec.json.decode(raw), why=str(error))


def _lines(body, learnt):
    """A piece at a time: what is wrong with a line, or was not learnt, slows its own piece alone."""
    items, at = [], 0
    while at < len(body):
        end = body.find(b"\n", at + PIECE) + 1 or len(body)
        found, is_cut = _piece(body[at:end], learnt)
        items += found
        if is_cut:
            return Decoded(items, cut=len(items))
        at = end
    return Decoded(items)


def _piece(piece, learnt):
    """(items of lines, whether the last of them breaks off)."""
    lines = piece.split(b"\n")
    count = sum(map(bool, map(bytes.strip, lines)))  # of items as well, unless one stands on two lines or two on one
    items, is_cut = learnt.lines(piece) if learnt else None, False
    if items is not None and len(items) == count:
        return items, is_cut
    try:
        items = _one.decode_lines(piece)
    except (msgspec.DecodeError, UnicodeDecodeError):
        items = None
    if items is None or len(items) != count:
        items, is_cut = _line_by_line(lines)
    if learnt:
        learnt.learn(items)
    return items, is_cut


def _line_by_line(lines):
    items, last = [], len(lines) - 1
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            items.append(_item(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if n == last:  # no line's end after it, and no JSON: the rest never came
                return items, True
            items.append(Broken("", [Fault("", "json_malformed", str(error)[:120])]))
    return items, False


def _table(body):
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BodyError("body_encoding") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    items, ends = [], text.endswith("\n")
    try:
        header = [name.strip() for name in next(reader)]
        _check_header(header)
        for row in broken_off.rows(reader):
            if row is None:
                items.append(Broken("", [Fault("", "item_unreadable", f'line {reader.line_num}: "')]))
            elif len(row) != len(header):
                if row and not ends and reader.line_num >= text.count("\n") + 1 and len(row) < len(header):
                    return Decoded(items, cut=len(items))
                if row:
                    items.append(_short(header, row))
            else:
                items.append(_convert(nested(header, row), strict=False))
    except csv.Error:
        return Decoded(items, cut=len(items))  # a quotation that never ends
    return Decoded(items)


def _check_header(header):
    for name in header:
        head = name.partition(".")[0]
        if name not in FIELDS and head not in ("victim", "victimizer", "environment", "variables"):
            raise BodyError("header_unreadable", name[:60])
        if head in ("victim", "victimizer") and not PERSON.fullmatch(name):
            raise BodyError("header_unreadable", name[:60])
    if "external_id" not in header or len(set(header)) != len(header):
        raise BodyError("header_unreadable", "external_id" if "external_id" not in header else "...")


def _short(header, row):
    at = header.index("external_id")
    return Broken(row[at][:80] if at < len(row) else "", [Fault("", "row_length", str(len(row)))])


def nested(header, row):
    """A row of dotted columns (victim.1.sex) as an item's fields; empty cells say nothing."""
    said, people = {}, {"victim": {}, "victimizer": {}}
    for name, cell in zip(header, row, strict=True):
        cell = cell.strip()
        if not cell:
            continue
        head, _, rest = name.partition(".")
        if name in FIELDS:
            said[name] = cell
        elif head in people:
            number, _, key = rest.partition(".")
            people[head].setdefault(int(number), {})[key] = cell
        else:
            said.setdefault("variables", {})[rest if head == "variables" else name] = cell
    for head, by_number in people.items():
        if by_number:
            said[f"{head}s"] = [by_number[number] for number in sorted(by_number)]
    return said


def _convert(raw, strict):
    try:
        return msgspec.convert(raw, Item, strict=strict)
    except msgspec.ValidationError as error:
        return diagnose(raw, strict=strict, why=str(error))
