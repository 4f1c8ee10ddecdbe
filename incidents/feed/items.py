"""What an item of a feed may say: names, kinds and sizes; and, of one that says it wrongly, in what. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Name = Annotated[str, Meta(max_length=40)]
Value = Annotated[str, Meta(max_length=160)] | float | None
Instant = Annotated[datetime, Meta(tz=True)] | None
MOST_PEOPLE = Meta(max_length=200)
People = Annotated[list[dict[Name, Value]], MOST_PEOPLE]

CHANNELS = {"phone": 1, "video": 2, "manual": 3, "panic_button": 4}
ALERT_CLASSES = {"normal": 1, "malicious": 2, "enquiry": 3, "error": 4}
SERVICES = {"security": 1, "health": 2, "transit": 3, "municipal": 4, "fire": 5, "military": 6, "risk": 7}
VIDEOS = {"prevented": 1, "followed": 2, "supporting": 3}


class Item(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One account of an event, or a word on one: names as in the documents of the feed."""

    external_id: Annotated[str, Meta(min_length=1, max_length=80)]
    action: Literal["upsert", "retract", "reclassify"] = "upsert"
    source: Annotated[str, Meta(max_length=24)] | None = None
    version: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    reason: Annotated[str, Meta(max_length=500)] | None = None
    category: Annotated[str, Meta(max_length=24)] | None = None
    occurred_on: date | None = None
    occurred_at: Annotated[str, Meta(max_length=15)] | None = None
    occurred: Instant = None
    reported_at: Instant = None
    received_at: Instant = None
    answered_at: Instant = None
    dispatched_at: Instant = None
    arrived_at: Instant = None
    closed_at: Instant = None
    longitude: float | None = None
    latitude: float | None = None
    place: Annotated[str, Meta(max_length=24)] | None = None
    channel: Literal["phone", "video", "manual", "panic_button"] | None = None
    alert_class: Literal["normal", "malicious", "enquiry", "error"] | None = None
    service: Literal["security", "health", "transit", "municipal", "fire", "military", "risk"] | None = None
    video: Literal["prevented", "followed", "supporting"] | None = None
    variables: dict[Annotated[str, Meta(max_length=60)], Value] | None = None
    victims: People | None = None
    victimizers: People | None = None


class Fault(Struct, gc=False):
    """A rule that an item breaks: in which field, and what stood there."""

    field: str
    rule: str
    value: str = ""


class Broken(Struct, gc=False):
    """An item that cannot be read, under the identifier that it gave, if any."""

    external_id: str
    faults: list[Fault]


FIELDS = {field.name: field for field in msgspec.structs.fields(Item)}
POINT = ("longitude", "latitude")
SHOWN = 60  # letters of a wrong value that are given back


def shown(value):
    """What stood there, cut short."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def diagnose(raw, *, strict=True, why=""):
    """What is wrong with an item (any JSON value) that is no Item, field by field."""
    if not isinstance(raw, dict):
        return Broken("", [Fault("", "item_unreadable", shown(raw))])
    faults = []
    for name, value in raw.items():
        if name not in FIELDS:
            faults.append(Fault(shown(name), "field_unknown"))
        elif name in ("victims", "victimizers", "variables") and value is not None:
            faults += _of_values(name, value, strict)
        else:
            faults += _of_field(name, value, FIELDS[name].type, strict)
    if "external_id" not in raw:
        faults.insert(0, Fault("external_id", "field_missing"))
    given = raw.get("external_id")
    external_id = given[:80] if isinstance(given, str) else ""
    return Broken(external_id, faults or [Fault("", "item_unreadable", why[:200])])


def _of_field(name, value, kind, strict):
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        return [Fault(name, _rule(name.split(".")[0], value, str(error)), shown(value))]
    return []


def _of_values(name, value, strict):
    """Faults of people, or of the variables of the surroundings."""
    if name == "variables":
        if not isinstance(value, dict):
            return [Fault(name, "type_wrong", shown(value))]
        return [fault for key, said in value.items() for fault in _of_field(f"{name}.{key[:60]}", said, Value, strict)]
    if not isinstance(value, list) or not all(isinstance(person, dict) for person in value):
        return [Fault(name, "type_wrong", shown(value))]
    if len(value) > MOST_PEOPLE.max_length:
        return [Fault(name, "too_many", str(len(value)))]
    return [
        fault
        for n, person in enumerate(value, 1)
        for key, said in person.items()
        for fault in _of_field(f"{name}.{n}.{key[:40]}", said, Value, strict)
    ]


def _rule(name, value, error):
    """The name of the rule that a value of a field breaks."""
    if isinstance(value, str) and "length <=" in error:
        return "text_too_long"
    if name in POINT:
        return "point_unreadable"
    if name == "occurred_on":
        return "date_impossible"
    if name == "occurred" or name.endswith("_at"):
        return "time_without_offset" if "timezone" in error else "time_unreadable"
    if "enum value" in error:
        return "value_unknown"
    if name == "external_id" and value == "":
        return "text_unreadable"
    return "number_range" if "`int` " in error and isinstance(value, int) else "type_wrong"
