"""What every item is looked up in: categories, the dictionary, places and boundaries, as they are now.

Kept by the process. A stamp, which is asked for at most once in BOOK_SECONDS, tells whether anything changed since; an
item that names something unknown asks for it at once.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings
from django.db import connection

from incidents import georeference
from incidents.feed.boundaries import Boundaries
from incidents.feed.learnt import Learnt
from incidents.georeference import UNKNOWN, Gazetteer
from incidents.layout import plain
from incidents.models import Category, Factor, Kind, PlaceCode, Variable, VariableCode
from units.models import Territory

NOT_DELIMITED = "000"  # codes that begin so are of no district: prisons, the sea
MEMORY = 20_000  # codes of places remembered
SPELLINGS = 1_000  # of the values of a variable
# What was changed is committed when its row of history can be read; a count tells of one that was committed late.
STAMP = """
SELECT (SELECT row(max(pgh_id), count(*))::text FROM incidents_categoryevent),
    (SELECT row(max(pgh_id), count(*))::text FROM incidents_variableevent),
    (SELECT row(max(pgh_id), count(*))::text FROM incidents_variablecodeevent),
    (SELECT row(max(pgh_id), count(*))::text FROM units_territoryevent),
    (SELECT row(max(id), count(*), sum(territory_id))::text FROM incidents_placecode),
    (SELECT row(max(id), count(*), sum(valid_from - DATE '2000-01-01'), sum(valid_to - DATE '2000-01-01'),
                sum(hashtext(source)::bigint), sum(pg_column_size(geometry)))::text FROM units_boundary)
"""


@dataclass
class Slot:
    """A variable: in which array it stands, and where; for a category, its codes by what they are called."""

    is_number: bool
    position: int
    is_retired: bool = False
    retired: set = field(default_factory=set)  # codes that are offered no more
    codes: set = field(default_factory=set)
    labels: dict = field(default_factory=dict)
    known: dict = field(default_factory=lambda: {None: 0, "": 0})  # codes of values in just these letters, seen before

    def remember(self, value, code):
        if len(self.known) < SPELLINGS:
            self.known[value] = code

    def code(self, value):
        """The code of a value as it was sent (label, name, or the code itself), None for an unknown one."""
        if isinstance(value, float):
            return int(value) if value in self.codes else None
        found = self.labels.get(plain(value))
        if found is None and value.strip().isdecimal() and int(value) in self.codes:
            found = int(value)
        return found


class Slots(dict):
    """Slots by the keys of variables.

    no_codes, no_numbers: lists in which nothing is said, as long as the dictionary's.
    """

    def __init__(self):
        super().__init__()
        self.no_codes, self.no_numbers = [], []

    def complete(self):
        """After the last variable: what is worked out once for all items."""
        self.no_codes = [0] * max((slot.position + 1 for slot in self.values() if not slot.is_number), default=0)
        self.no_numbers = [math.nan] * max((slot.position + 1 for slot in self.values() if slot.is_number), default=0)


class Book:
    """A reading of all of it, under its stamp."""

    def __init__(self, stamp):
        self.stamp, self.at = stamp, time.monotonic()
        self.categories = dict(Category.objects.values_list("code", "pk"))
        self._read_dictionary()
        self._read_places()
        self.place_codes = {code: (pk, place) for pk, code, place in PlaceCode.objects.values_list()}
        self.boundaries = Boundaries()
        self._learnt = {}

    def learnt(self, institution):
        """What was seen of the bodies of an institution (its id): Learnt."""
        of_fields = {"variables": self.surroundings, **{f"{factor}s": slots for factor, slots in self.people.items()}}
        return self._learnt.setdefault(institution, Learnt(of_fields))

    def _read_dictionary(self):
        slots, self.people, self.fields = {}, {Factor.VICTIM: Slots(), Factor.VICTIMIZER: Slots()}, {}
        self.surroundings = Slots()
        for variable in Variable.objects.exclude(kind=Kind.COLUMN):
            slot = slots[variable.pk] = Slot(variable.kind == Kind.NUMBER, variable.position, variable.is_retired)
            self.fields[variable.factor, slot.is_number, slot.position] = f"{variable.factor}.{variable.key}"
            if variable.factor == Factor.ENVIRONMENT:
                self.surroundings[variable.key] = self.surroundings[f"environment.{variable.key}"] = slot
            else:
                self.people[variable.factor][variable.key] = slot
        for held in (self.surroundings, *self.people.values()):
            held.complete()
        rows = VariableCode.objects.order_by("-code").values_list(
            "variable_id", "code", "label", "name", "name_en", "is_retired"
        )
        for variable, code, label, name, name_en, is_retired in rows:
            slot = slots[variable]
            if is_retired:
                slot.retired.add(code)
            slot.codes.add(code)
            for text in (name_en, name):
                if text:
                    slot.labels.setdefault(plain(text), code)
            slot.labels[label] = code  # what files write comes before what people read

    def _read_places(self):
        rows = list(
            Territory.objects.order_by("level", "code").values_list("pk", "code", "level", "is_delimited", "parent_id")
        )
        ids, codes, levels, delimited, parents = zip(*rows, strict=True) if rows else ((),) * 5
        self.gazetteer = Gazetteer(list(ids), list(codes), np.array(levels, np.int16), np.array(delimited, bool))
        self.ordinal = {pk: n for n, pk in enumerate(ids)}
        self.parent = dict(zip(ids, parents, strict=True))
        self.nation = ids[self.gazetteer.nation] if self.gazetteer.nation != UNKNOWN else None
        self._resolved = {}

    def place(self, code):
        """(territory id or None, rule by which it was mended or None) of a code as it was sent."""
        found = self._resolved.get(code)
        if found is None:
            ordinals, rules = georeference.resolve([code], self.gazetteer, NOT_DELIMITED)
            at = int(ordinals[0]) if code.isprintable() else UNKNOWN
            found = (self.gazetteer.ids[at] if at != UNKNOWN else None, rules[0])
            if len(self._resolved) < MEMORY:
                self._resolved[code] = found
        return found

    def precision(self, territory):
        """PlacePrecision of a place that is known by its territory alone."""
        at = self.ordinal[territory]
        if not self.gazetteer.delimited[at]:
            return georeference.NOT_DELIMITED
        return georeference.SUBCIRCUIT if self.gazetteer.levels[at] == georeference.LOWEST else georeference.COARSER

    def is_within(self, territory, above):
        """Does a territory lie in another, or is it that one?"""
        while territory is not None and territory != above:
            territory = self.parent.get(territory)
        return territory is not None


def stamp():
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        return cursor.fetchone()


_lock = threading.Lock()
_held = {}


def current(*, max_age=None):
    """The Book as it is now, or was at most so many seconds ago (BOOK_SECONDS, where nothing is said)."""
    max_age = settings.BOOK_SECONDS if max_age is None else max_age
    held = _held.get(connection.alias)
    if held is not None and time.monotonic() - held.at < max_age:
        return held
    with _lock:
        now, said = time.monotonic(), stamp()
        held = _held.get(connection.alias)
        if held is None or held.stamp != said:
            held = _held[connection.alias] = Book(said)
        held.at = now
    return held
