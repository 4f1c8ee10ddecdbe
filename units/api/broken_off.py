"""What is whole of a body that breaks off, so that it can be kept. Pure.

A list of JSON may break off anywhere; a table or lines are cut back to the last line that has its end, since the cell
30 that has become 3 looks as whole as any.
"""

from __future__ import annotations

import codecs
import csv
import json
import re

import msgspec

_value = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, msgspec.Raw])
_scan = json.JSONDecoder().raw_decode
SPACE = re.compile(r"[ \t\r\n]*")


def whole_lines(body):
    """The lines (bytes) up to the last end of a line; the whole body where it is one line."""
    return body[: body.rfind(b"\n") + 1] or body


def rows(reader):
    """The rows of a table (csv.reader, strict); None for one whose quotation marks are wrong.

    Raises csv.Error where a quotation never ends: the table breaks off in it.
    """
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise
            yield None


def ends_within_a_letter(body):
    """Whether the last bytes begin a letter of UTF-8 whose rest is not there."""
    reader = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    reader.decode(body[-4:])
    return bool(reader.getstate()[0])


def whole_items(body, name):
    """JSON (bytes) of the items before the break of a list, which stands by itself or as `name` in an object.

    Empty where nothing is whole, where the body does not break off, and where it is wrong before it does.
    """
    if not _breaks_off(body):
        return []
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return []
    opening = re.match(rf'\s*(?:\{{\s*"{name}"\s*:\s*)?\[', text)
    return _items(text, opening.end()) if opening else []


def _breaks_off(body):
    try:
        _value.decode(body.rstrip(b"0123456789+-.eE"))  # -2. and 1e would be malformed, and are only cut
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return "truncated" in str(error)
    return False


def _items(text, at):
    found = []
    while True:
        at = SPACE.match(text, at).end()
        try:
            _, end = _scan(text, at)
        except (ValueError, RecursionError):
            return found
        if end == len(text) and text[at] != "{":  # of a number more may have been to come
            return found
        found.append(text[at:end].encode())
        at = SPACE.match(text, end).end()
        if text[at : at + 1] != ",":
            return found
        at += 1
