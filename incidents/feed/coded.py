"""What items say by the variables of the dictionary, as codes and numbers by position: many at once, or one by itself.

Pure: values as they came, in a dict or a Struct of learnt.py, and the Slots of book.py. Codes and numbers are lists as
long as what is said, with 0 and NaN where nothing is.
"""

from __future__ import annotations

import math
from operator import attrgetter

import numpy as np

from incidents.feed import learnt
from incidents.feed.items import Fault, shown

LARGEST = 1e9
FEW = 8  # dicts of the same keys up to which columns do not pay


class Coded:
    """Codes and numbers of what was said, handed out in the same order."""

    def __init__(self, many, slots):
        self.pairs, self.slots = iter(together(many, slots)), slots

    def next(self, said, prefix, faults, flags):
        """(codes, numbers) of the one that follows, `said`; see `alone`."""
        return next(self.pairs) or alone(learnt.as_dict(said), self.slots, prefix, faults, flags)


def together(many, slots):
    """(codes, numbers) of each of `many`, None for those that must be looked at by themselves (see `alone`).

    Those with the same keys are looked up a column at a time.
    """
    found, alike = [None] * len(many), {}
    for n, said in enumerate(many):
        kind = type(said)
        alike.setdefault(tuple(said) if kind is dict else kind, []).append(n)
    for kind, members in alike.items():
        if len(members) > FEW:
            same = [many[n] for n in members]
            for n, pair in zip(members, _columns(kind, same, slots), strict=True):
                found[n] = pair
    return found


def _columns(kind, same, slots):
    if isinstance(kind, tuple):
        keys, columns = kind, zip(*map(dict.values, same), strict=True)
    else:
        keys, columns = learnt.keys(kind), learnt.columns(same)
    return _of_columns(keys, columns, len(same), slots) if _can_be_columns(keys, slots) else [None] * len(same)


def _can_be_columns(keys, slots):
    """No key is unknown, retired, or another name of the same variable."""
    held = {id(slots[key]) for key in keys if key in slots and not slots[key].is_retired}
    return len(held) == len(keys)


def _of_columns(keys, columns, rows, slots):
    codes = np.zeros((rows, len(slots.no_codes)), np.int32)
    numbers = np.full((rows, len(slots.no_numbers)), math.nan)
    alone = set()
    for key, column in zip(keys, columns, strict=True):
        slot = slots[key]
        if slot.is_number:
            numbers[:, slot.position] = _measured(column, alone)
            continue
        known = list(map(slot.known.get, column))
        if None in known:
            alone.update(n for n, code in enumerate(known) if code is None)
            known = [code or 0 for code in known]
        codes[:, slot.position] = known
    pairs = zip(_trimmed(codes, codes != 0), _trimmed(numbers, ~np.isnan(numbers)), strict=True)
    return [None if n in alone else pair for n, pair in enumerate(pairs)] if alone else pairs


def _measured(column, alone):
    """A column of numbers, NaN where nothing is said; what is no number, or none that can be, goes to `alone`."""
    measured = np.array([value if type(value) is float else _parsed(value) for value in column])
    odd = np.flatnonzero(~(np.abs(measured) <= LARGEST)).tolist()
    alone.update(n for n in odd if column[n] is not None and column[n] != "")
    return measured


def _parsed(value):
    try:
        return float(value or math.nan)
    except ValueError:
        return math.nan


def _trimmed(table, is_said):
    """The rows of a table (R, n) as lists, each up to its last place that says something."""
    width = table.shape[1]
    if not width:
        return [[] for _ in table]
    ends = np.where(is_said.any(axis=1), width - is_said[:, ::-1].argmax(axis=1), 0).tolist()
    longest = max(ends)
    return [row[:end] if end < longest else row for row, end in zip(table[:, :longest].tolist(), ends, strict=True)]


def alone(said, slots, prefix, faults, flags):
    """(codes, numbers) of one dict; appends what is wrong with it, under `prefix` and by name, and what is flagged."""
    wrong = []
    codes, numbers = slots.no_codes.copy(), slots.no_numbers.copy()
    last = last_number = -1
    for key, value in said.items():
        slot = slots.get(key)
        if slot is None:
            wrong.append(Fault(prefix + key, "unknown_variable"))
        elif value is None or value == "":
            continue
        elif slot.is_number:
            _flag_retired(slot.is_retired, flags)
            numbers[slot.position] = _number(value, prefix + key, wrong)
            last_number = max(last_number, slot.position)
        else:
            code = _code(value, slot, flags)
            if code is None:
                wrong.append(Fault(prefix + key, "unknown_code", shown(value)))
            else:
                codes[slot.position] = code
                last = max(last, slot.position)
    if wrong:
        faults += sorted(wrong, key=attrgetter("field"))  # what was decoded as learnt has lost its own order
    return codes[: last + 1], numbers[: last_number + 1]


def _code(value, slot, flags):
    """The code of a value, remembered in just these letters; what is retired is flagged and taken. None if unknown."""
    code = None if slot.is_retired else slot.known.get(value)
    if code is None:
        code = slot.code(value)
        if code is not None and not _flag_retired(slot.is_retired or code in slot.retired, flags):
            slot.remember(value, code)
    return code


def _flag_retired(is_retired, flags):
    if is_retired and "retired" not in flags:
        flags.append("retired")
    return is_retired


def _number(value, name, faults):
    try:
        number = float(value)
    except ValueError:
        faults.append(Fault(name, "type_wrong", shown(value)))
        return math.nan
    if not -LARGEST <= number <= LARGEST:
        faults.append(Fault(name, "number_range", shown(value)))
    return number
