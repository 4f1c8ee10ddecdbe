"""Decoders made for what an institution's bodies were seen to say: its variables, and their values in its own letters.

Such a body makes neither dicts nor texts of what it says by variables: every value is a text that is there already.
A body, or a piece of it, that says anything else is decoded as any other, and learnt from. No database.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Struct, defstruct
from msgspec.structs import astuple

from incidents.feed.items import MOST_PEOPLE, Item, Value

SAMPLE = 100  # items of a piece whose variables are noted
STEP = 1_000  # items that were not as learnt, times the decoders made so far: then they are made again
FIELDS = ("variables", "victims", "victimizers")


class Learnt:
    """What was seen of one institution. `slots`: the Slots of the variables of each of FIELDS."""

    def __init__(self, slots):
        self.slots = slots
        self.keys = {field: {} for field in FIELDS}  # as dicts: in the order in which they came
        self._one = self._many = self._stamp = None
        self._missed = self._made = 0

    def lines(self, body):
        """The items of lines of JSON (bytes); None where they say what was not seen before."""
        return self._decoded(self._one and self._one.decode_lines, body)

    def list(self, body):
        """The items of a list of JSON (bytes); None where they say what was not seen before."""
        return self._decoded(self._many and self._many.decode, body)

    def learn(self, items):
        """Note the variables of items that were decoded as any other. Values are remembered when they are read."""
        for item in items[:SAMPLE]:
            if isinstance(item, Item):
                self._note("variables", item.variables or ())
                for field in ("victims", "victimizers"):
                    for person in getattr(item, field) or ():
                        self._note(field, person)
        self._missed += len(items)

    def _note(self, field, said):
        slots = self.slots[field]
        self.keys[field].update((key, None) for key in said if key in slots and not slots[key].is_retired)

    def _decoded(self, decode, body):
        try:
            return decode and decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def catch_up(self):
        """Before a body: make the decoders anew where enough came that was not as learnt, and was learnt since.

        A thousand texts take two thousandths of a second: what never repeats itself is followed ever more slowly.
        """
        if self._missed < max(1, STEP * self._made):
            return
        chosen = {field: _distinct(self.keys[field], self.slots[field]) for field in FIELDS}
        stamp = [(key, len(self.slots[field][key].known)) for field in FIELDS for key in chosen[field]]
        self._missed = 0
        if stamp != self._stamp:
            self._stamp, self._made = stamp, self._made + 1
            kind = _item({field: _said(field, keys, self.slots[field]) for field, keys in chosen.items()})
            self._one, self._many = msgspec.json.Decoder(kind), msgspec.json.Decoder(list[kind])


def _distinct(keys, slots):
    """Keys of different variables: of two names of the same one, the first that came."""
    return list({id(slots[key]): key for key in reversed(list(keys))}.values())[::-1]


def _item(kinds):
    """A kind of Item whose variables and people are of these kinds."""
    people = [(field, Annotated[list[kinds[field]], MOST_PEOPLE] | None, None) for field in ("victims", "victimizers")]
    fields = [("variables", kinds["variables"] | None, None), *people]
    return defstruct("Item", fields, bases=(Item,), kw_only=True, forbid_unknown_fields=True, gc=False)


def _said(field, keys, slots):
    """A Struct with a field for each variable: one of the texts that are known of it, or a number."""
    fields = [(f"f{n}", _values(slots[key]), None) for n, key in enumerate(keys)]
    names = {f"f{n}": key for n, key in enumerate(keys)}
    return defstruct(field.title(), fields, rename=names, forbid_unknown_fields=True, gc=False)


def _values(slot):
    known = list(slot.known)  # other threads remember more meanwhile
    texts = tuple(value for value in known if isinstance(value, str))
    return Value if slot.is_number else Literal[texts] | float | None


def columns(many):
    """Values of Structs of one kind, a tuple for each of its fields; see `keys`."""
    return zip(*map(astuple, many), strict=True)


def keys(kind):
    """The keys of variables that a kind of Struct has."""
    return kind.__struct_encode_fields__


def as_dict(said):
    """What a Struct, or a dict, says."""
    if not isinstance(said, Struct):
        return said
    return {key: value for key, value in zip(keys(type(said)), astuple(said), strict=True) if value is not None}
