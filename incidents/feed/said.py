"""What items say, in the ids of the database; and by which rules they cannot say so. No database.

What the dictionary has variables for, and where it happened, is found for many at once: see coded.py and place.py.
"""

from __future__ import annotations

import functools
import hashlib
import re
from datetime import date, datetime, time, timedelta
from itertools import chain

import msgspec

from incidents.feed.coded import Coded
from incidents.feed.items import ALERT_CLASSES, CHANNELS, SERVICES, VIDEOS, Fault, shown
from incidents.models import TimePrecision

FIRST_DAY = date(1990, 1, 1)
SKEW = timedelta(minutes=5)  # a sender's clock may be fast by so much
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")  # what the database takes in no text
TIME = re.compile(r"\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?")
DAY, HOUR, MINUTE, SECOND = (
    int(one) for one in (TimePrecision.DAY, TimePrecision.HOUR, TimePrecision.MINUTE, TimePrecision.SECOND)
)
TIME_PRECISION = {2: HOUR, 5: MINUTE}
MIX = 0x9E3779B97F4A7C15
TOGETHER = 500  # items whose variables are looked up at once


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
        self.first = datetime.combine(FIRST_DAY, time.min, zone)
        self.latest, self.today, self.time_of_day = now + SKEW, local.date(), local.time().isoformat()

    def read(self, items):
        """(Said or None, faults, flags) of each of a list of items that are accounts."""
        for start in range(0, len(items), TOGETHER):
            part = items[start : start + TOGETHER]
            variables = Coded([item.variables for item in part if item.variables], self.book.surroundings)
            victims = self._of_people("victim", [item.victims for item in part if item.victims])
            victimizers = self._of_people("victimizer", [item.victimizers for item in part if item.victimizers])
            for item in part:
                yield self._read(item, variables, victims, victimizers)

    def _of_people(self, factor, people):
        return Coded(list(chain.from_iterable(people)), self.book.people[factor])

    def _read(self, item, variables, victims, victimizers):
        faults, flags = of_texts(item), []
        category = self.category(item.category, faults)
        day, time_, precision = self._when(item, faults)
        stages = self._stages(item, faults)
        longitude, latitude = self._point(item, faults, flags)
        codes, numbers = variables.next(item.variables, "variables.", faults, flags) if item.variables else ([], [])
        victims = _people("victims", item.victims, victims, faults, flags) if item.victims else []
        victimizers = _people("victimizers", item.victimizers, victimizers, faults, flags) if item.victimizers else []
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
            if item.occurred > self.latest:
                faults.append(Fault("occurred", "date_future", shown(item.occurred.isoformat())))
                return None, None, DAY
            if item.occurred < self.first:
                faults.append(Fault("occurred", "date_early", shown(item.occurred.isoformat())))
                return None, None, DAY
            day, at = self._local(item.occurred)
            return day, at, SECOND if at[6:8] != "00" else MINUTE
        day = item.occurred_on
        if day is None:
            faults.append(Fault("occurred_on", "date_missing"))
            return None, None, DAY
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
            return None, DAY
        try:
            if not TIME.fullmatch(text):
                raise ValueError
            return time.fromisoformat(text).isoformat(), TIME_PRECISION.get(len(text), SECOND)
        except ValueError:
            faults.append(Fault("occurred_at", "time_unreadable", shown(text)))
            return None, DAY

    def _stages(self, item, faults):
        """The stages of the answer, each not before the one before it, nor before the first day, nor in the future."""
        stages = (
            item.reported_at, item.received_at, item.answered_at, item.dispatched_at, item.arrived_at, item.closed_at
        )  # fmt: skip
        before = None
        for stage in stages:
            if stage is None:
                continue
            if stage < self.first:
                faults.append(self._stage_fault(stages, stage, "date_early"))
            elif before is not None and stage < before:
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


def of_texts(item):
    """Faults of the texts of an item that nothing else looks up."""
    faults = []
    if CONTROL.search(item.external_id):
        faults.append(Fault("external_id", "text_unreadable"))
    if item.reason and NO_TEXT.search(item.reason):
        faults.append(Fault("reason", "text_unreadable"))
    return faults


def _people(name, people, coded, faults, flags):
    return [coded.next(person, f"{name}.{n}.", faults, flags) for n, person in enumerate(people, 1)]


def digest(content, category):
    """64 bits of what an account says; the category's part can be taken out again (see `reclassified`)."""
    raw = hashlib.blake2b(msgspec.msgpack.encode(content), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True) ^ _part(category)


def reclassified(digest, old, new):
    """The digest of the same account with another category. None where nothing is known of it."""
    return None if digest is None else digest ^ _part(old) ^ _part(new)


@functools.cache
def _part(category):
    mixed = category * MIX & (1 << 64) - 1
    return mixed - (1 << 64) if mixed >> 63 else mixed
