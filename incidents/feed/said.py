"""What an item says, in the ids of the database; and by which rules it cannot say so. One item at a time, no database.

Where it happened is found for many at once: see place.py.
"""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date, time, timedelta

import msgspec

from incidents.feed.items import ALERT_CLASSES, CHANNELS, SERVICES, VIDEOS, Fault, shown
from incidents.models import TimePrecision

FIRST_DAY = date(1990, 1, 1)
SKEW = timedelta(minutes=5)  # a sender's clock may be fast by so much
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
TIME = re.compile(r"\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?")
TIME_PRECISION = {2: TimePrecision.HOUR, 5: TimePrecision.MINUTE}
LARGEST = 1e9
MIX = 0x9E3779B97F4A7C15


class Said(msgspec.Struct, gc=False):
    """An account of an event. `codes` and `numbers` of the surroundings; people as (codes, numbers)."""

    external_id: str
    version: int | None
    category: int
    day: date
    time: str | None
    time_precision: int
    stages: tuple
    longitude: float | None
    latitude: float | None
    place: str | None
    choices: tuple
    codes: list
    numbers: list
    victims: list
    victimizers: list
    digest: int
    territory: int | None = None
    place_code: int | None = None
    place_precision: int = 5


class Reader:
    """Reads items as of an instant, with a book to look things up in."""

    def __init__(self, book, now, zone, box):
        self.book, self.zone, self.box = book, zone, box
        local = (now + SKEW).astimezone(zone)
        self.latest, self.today, self.time_of_day = now + SKEW, local.date(), local.time().isoformat()

    def read(self, item):
        """(Said or None, faults, flags) of an item that is an account."""
        faults, flags = [], []
        if CONTROL.search(item.external_id):
            faults.append(Fault("external_id", "text_unreadable"))
        category = self.category(item.category, faults)
        day, time_, precision = self._when(item, faults)
        stages = self._stages(item, faults)
        longitude, latitude = self._point(item, faults, flags)
        codes, numbers = self._variables(item.variables, faults, flags) if item.variables else ([], [])
        victims = self._people("victim", item.victims, faults, flags) if item.victims else []
        victimizers = self._people("victimizer", item.victimizers, faults, flags) if item.victimizers else []
        if faults:
            return None, faults, flags
        choices = (
            CHANNELS.get(item.channel, 0), ALERT_CLASSES.get(item.alert_class, 0), SERVICES.get(item.service, 0),
            VIDEOS.get(item.video, 0),
        )  # fmt: skip
        content = (day, time_, stages, longitude, latitude, item.place, choices, codes, numbers, victims, victimizers)
        said = Said(
            item.external_id, item.version, category, day, time_, precision, stages, longitude, latitude, item.place,
            choices, codes, numbers, victims, victimizers, digest(content, category),
        )  # fmt: skip
        return said, faults, flags

    def category(self, code, faults):
        """The id of the category that an item names."""
        if code is None:
            faults.append(Fault("category", "field_missing"))
            return None
        found = self.book.categories.get(code)
        if found is None:
            faults.append(Fault("category", "unknown_category", code))
        return found

    def _when(self, item, faults):
        if item.occurred is not None:
            if item.occurred_on is not None or item.occurred_at is not None:
                faults.append(Fault("occurred", "date_twice"))
            day, at = self._local(item.occurred)
            if item.occurred > self.latest:
                faults.append(Fault("occurred", "date_future", shown(item.occurred.isoformat())))
            elif day < FIRST_DAY:
                faults.append(Fault("occurred", "date_early", str(day)))
            return day, at, TimePrecision.SECOND if at[6:8] != "00" else TimePrecision.MINUTE
        day = item.occurred_on
        if day is None:
            faults.append(Fault("occurred_on", "date_missing"))
            return None, None, TimePrecision.DAY
        at, precision = self._time(item.occurred_at, faults)
        if day > self.today or (day == self.today and at is not None and at > self.time_of_day):
            faults.append(Fault("occurred_on", "date_future", str(day)))
        elif day < FIRST_DAY:
            faults.append(Fault("occurred_on", "date_early", str(day)))
        return day, at, precision

    def _local(self, instant):
        local = instant.astimezone(self.zone)
        return local.date(), local.time().isoformat()

    def _time(self, text, faults):
        """A time of day as text, and how exact it is: 14, 14:05 or 14:05:09."""
        if text is None:
            return None, TimePrecision.DAY
        try:
            if not TIME.fullmatch(text):
                raise ValueError
            return time.fromisoformat(text).isoformat(), TIME_PRECISION.get(len(text), TimePrecision.SECOND)
        except ValueError:
            faults.append(Fault("occurred_at", "time_unreadable", shown(text)))
            return None, TimePrecision.DAY

    def _stages(self, item, faults):
        """The stages of the answer, each not before the one before it, none in the future."""
        stages = (
            item.reported_at, item.received_at, item.answered_at, item.dispatched_at, item.arrived_at, item.closed_at
        )  # fmt: skip
        before = None
        for stage in stages:
            if stage is None:
                continue
            if before is not None and stage < before:
                faults.append(self._stage_fault(stages, stage, "time_order"))
            before = stage
        if before is not None and before > self.latest:
            faults.append(self._stage_fault(stages, before, "date_future"))
        return stages

    def _stage_fault(self, stages, stage, rule):
        names = ("reported_at", "received_at", "answered_at", "dispatched_at", "arrived_at", "closed_at")
        return Fault(names[[s is stage for s in stages].index(True)], rule, stage.isoformat())

    def _point(self, item, faults, flags):
        """A point that can be believed, or none: (0, 0) and what lies outside the country are missing."""
        x, y = item.longitude, item.latitude
        if x is None and y is None:
            return None, None
        if x is None or y is None:
            faults.append(Fault("latitude" if y is None else "longitude", "point_half"))
            return None, None
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            at, value = ("longitude", x) if not -180 <= x <= 180 else ("latitude", y)
            faults.append(Fault(at, "point_unreadable", str(value)))
            return None, None
        if x == 0 and y == 0:
            flags.append("point_zero")
            return None, None
        west, south, east, north = self.box
        if not (west <= x <= east and south <= y <= north):
            flags.append("point_outside")
            return None, None
        return x, y

    def _variables(self, said, faults, flags):
        return _arrays(said, self.book.surroundings, "variables.", faults, flags)

    def _people(self, factor, people, faults, flags):
        slots = self.book.people[factor]
        return [_arrays(person, slots, f"{factor}s.{n}.", faults, flags) for n, person in enumerate(people, 1)]


def _arrays(said, slots, prefix, faults, flags):
    """Codes and numbers by position, as long as what is said; 0 and NaN between."""
    codes, numbers = slots.no_codes.copy(), slots.no_numbers.copy()
    last = last_number = -1
    known, number_at = slots.known, slots.number_at
    for pair in said.items():
        at = known.get(pair)
        if at is not None:
            position, codes[position] = at
            if position > last:
                last = position
            continue
        key, value = pair
        position = number_at.get(key)
        if position is None:
            last = max(last, _say(key, value, slots, prefix, codes, faults, flags))
        elif value is not None and value != "":
            _flag_retired(slots[key].is_retired, flags)
            numbers[position] = _number(value, prefix + key, faults)
            if position > last_number:
                last_number = position
    del codes[last + 1 :], numbers[last_number + 1 :]
    return codes, numbers


def _say(key, value, slots, prefix, codes, faults, flags):
    """What was not said in just these letters before, or is retired, which is flagged and taken. Its place, or -1."""
    slot = slots.get(key)
    if slot is None:
        faults.append(Fault(prefix + key, "unknown_variable"))
        return -1
    if value is None or value == "":
        return -1
    code = slot.code(value)
    if code is None:
        faults.append(Fault(prefix + key, "unknown_code", shown(value)))
        return -1
    if not _flag_retired(slot.is_retired or code in slot.retired, flags):
        slots.remember((key, value), slot.position, code)
    codes[slot.position] = code
    return slot.position


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


def digest(content, category):
    """64 bits of what an account says; the category's part can be taken out again (see `reclassified`)."""
    raw = hashlib.blake2b(msgspec.msgpack.encode(content), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True) ^ _part(category)


def reclassified(digest, old, new):
    """The digest of the same account with another category. None where nothing is known of it."""
    return None if digest is None else digest ^ _part(old) ^ _part(new)


def _part(category):
    mixed = category * MIX & (1 << 64) - 1
    return mixed - (1 << 64) if mixed >> 63 else mixed
