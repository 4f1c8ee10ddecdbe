"""What a row of figures may say: names, kinds and sizes; and, of one that says it wrongly, in what. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Code = Annotated[str, Meta(min_length=1, max_length=40)]
State = Literal["figure", "not_applicable", "blank"]
Seen = Annotated[datetime, Meta(tz=True)] | None
SHOWN = 60
STATES = ("figure", "not_applicable", "blank")


class Row(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A figure: of an indicator of a unit for a month. `if_recorded_at`: what the sender saw, null for no figure."""

    month: Annotated[str, Meta(max_length=10, examples=["2023-10"])]
    indicator: Code
    unit: Code
    numerator: float | None = None
    denominator: float | None = None
    state: State | None = None
    if_recorded_at: Seen | UnsetType = UNSET


class Columns(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The same by columns, all of one length; a column that is not there says nothing."""

    month: list[str]
    indicator: list[Code]
    unit: list[Code]
    numerator: list[float | None] | None = None
    denominator: list[float | None] | None = None
    state: list[State | None] | None = None


class Fault(Struct, gc=False):
    """A rule that a row breaks: in which field, and what stood there."""

    field: str
    rule: str
    value: str = ""


class BodyError(ValueError):
    """The body cannot be read at all: a rule of rules.BODY, and where."""

    def __init__(self, rule, at=""):
        super().__init__(rule)
        self.rule, self.at = rule, at


@dataclass
class Table:
    """Columns of the rows that can be read; `at`: which row of the body each is, from 0; faults of the others."""

    total: int
    at: list
    month: list
    indicator: list
    unit: list
    numerator: list
    denominator: list
    state: list
    seen: list
    faults: dict = field(default_factory=dict)
    cut: int | None = None


FIELDS = {one.name: one.type for one in msgspec.structs.fields(Row)}
REQUIRED = ("month", "indicator", "unit")


def diagnose(raw):
    """What is wrong with a row (any JSON value) that is no Row, field by field."""
    if not isinstance(raw, dict):
        return [Fault("", "row_unreadable", shown(raw))]
    faults = [Fault(name, "field_missing") for name in REQUIRED if raw.get(name) is None]
    for name, value in raw.items():
        if name not in FIELDS:
            faults.append(Fault(shown(name), "field_unknown"))
        elif value is None:
            continue
        else:
            try:
                msgspec.convert(value, FIELDS[name])
            except msgspec.ValidationError as error:
                faults.append(Fault(name, rule_of(name, value, str(error)), shown(value)))
    return faults or [Fault("", "row_unreadable")]


def rule_of(name, value, error):
    if name == "if_recorded_at" and isinstance(value, str):
        return "time_without_offset" if "timezone" in error else "time_unreadable"
    if name == "state" and isinstance(value, str):
        return "value_unknown"
    return "not_a_month" if name == "month" else "type_wrong"


def shown(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
