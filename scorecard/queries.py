"""What scorecard pages read: the unit as one may see it, then its cards. Two questions, however large the country."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection
from django.db.models import JSONField
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from psycopg.rows import namedtuple_row

from indicators.models import SheetVersion
from scorecard.models import Card, Recipe
from units import prepared
from units.models import Unit
from units.permissions import Permission, granted_units

SQL = Path(__file__).parent / "sql"
HISTORY = 12  # months before the month shown: the sparkline, and the same month of last year
KNOWN_RECIPES = 512
CODE = re.compile(r"[A-Z0-9.\-]{1,40}")  # of a unit or an indicator; nothing else is looked for


def sql(name: str) -> str:
    """A named statement of scorecard/sql/."""
    return _sql(name)


@cache
def _sql(name):
    return (SQL / f"{name}.sql").read_text()


def months_before(month: date, count: int) -> list[date]:
    """This month and the `count` before it, the earliest first."""
    return [shifted(month, -n) for n in range(count, -1, -1)]


def shifted(month: date, by: int) -> date:
    """The first day of the month `by` months away."""
    years, index = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(years, index + 1, 1)


# Arrays out of PostgreSQL --------------------------------------------------------------------------------------------


def _array_loader(kind: str):
    element = np.dtype([("size", ">i4"), ("value", kind)])
    native = np.dtype(kind).newbyteorder("=")

    class Loader(psycopg.adapt.Loader):
        """A one-dimensional array without NULLs, in PostgreSQL's binary form: 20 bytes of head, then the elements."""

        format = psycopg.pq.Format.BINARY

        def load(self, data):
            if len(data) <= 12:
                return np.empty(0, native)
            return np.frombuffer(data, element, offset=20)["value"].astype(native)

    return Loader


LOADERS = {1022: _array_loader(">f8"), 1005: _array_loader(">i2"), 1007: _array_loader(">i4")}


class _Said(NamedTuple):
    query: bytes


class ArrayCursor(psycopg.Cursor):
    """Rows in binary, by name, arrays as NumPy's."""

    def __init__(self, connection):
        super().__init__(connection, row_factory=namedtuple_row)
        self.format = psycopg.pq.Format.BINARY
        for oid, loader in LOADERS.items():
            self.adapters.register_loader(oid, loader)

    def execute(self, query, params=None, **options):
        """Prepared at first sight, as planning costs more than answering."""
        prepared.keeps()
        done = super().execute(query, params, **options)
        self._query = _Said(query.encode())  # where Django's log of queries looks
        return done


def fetch_arrays(statement: str, parameters: dict[str, Any]) -> list[Any]:
    """Rows of a statement, with real arrays; counted and logged as Django's own queries are."""
    connection.ensure_connection()
    cursor = ArrayCursor(connection.connection)
    wrapped = connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    with wrapped:
        wrapped.execute(statement, parameters)
        return wrapped.fetchall()


# The unit ------------------------------------------------------------------------------------------------------------

_ABOVE = """(SELECT jsonb_agg(jsonb_build_array(a.id, a.code, a.name, a.name_en) ORDER BY cardinality(a.path))
FROM units_unit a WHERE a.id = ANY("units_unit"."path"))"""
_BESIDE = """(SELECT jsonb_agg(jsonb_build_array(s.id, s.code, s.name, s.name_en) ORDER BY s.code)
FROM units_unit s JOIN units_unit p ON p.id = s.parent_id WHERE s.parent_id = "units_unit"."parent_id"
AND (s.institution_id = p.institution_id) = ("units_unit"."institution_id" = p.institution_id))"""
_LATEST = 'SELECT max(k.month) FROM scorecard_card k WHERE k.unit_id = "units_unit"."id"'
_PLACE = """(SELECT po.position FROM scorecard_position po JOIN indicators_indicator i ON i.id = po.indicator_id
WHERE po.institution_id = "units_unit"."institution_id" AND i.code = %s)"""


@dataclass
class UnitHere:
    """A unit that the person may see. above: those of its path, itself the last; beside: its siblings and itself."""

    unit: Unit
    granted: frozenset | None
    latest: date | None
    position: int | None
    can_analyse: bool = False

    def sees(self, path) -> bool:
        """Whether a unit of this path is one that the person may see. No question asked."""
        return self.granted is None or not self.granted.isdisjoint(path)

    @cached_property
    def above(self):
        return [Named(*row) for row in self.unit.above or ()]

    @cached_property
    def beside(self):
        return [Named(*row) for row in self.unit.beside or ()]


@dataclass(frozen=True)
class Named:
    """A unit's id, code and name."""

    pk: int
    code: str
    name: str
    name_en: str = ""

    @property
    def local_name(self) -> str:
        return self.name_en if self.name_en and get_language() == "en" else self.name


def _asked(statement, *parameters, field=None):
    """A subquery of our own text; values go apart."""
    return RawSQL(statement, parameters, output_field=field)  # noqa: S611


def unit_here(user, code: str, month: date | None = None, by: str = "") -> UnitHere:
    """The unit with what stands around it, the latest month of cards, and the place of an indicator. One question.

    latest is, beside a month, the latest within the two years after it: what a month stepper offers.
    """
    if not CODE.fullmatch(code):
        raise Http404(_("There is no unit %(code)s that you may see.") % {"code": code[:40]})
    latest = _asked(f"({_LATEST})")
    if month is not None:
        latest = _asked(f"({_LATEST} AND k.month BETWEEN %s AND %s)", month, shifted(month, 24))
    unit = (
        Unit.objects.visible_to(user)
        .filter(code=code)
        .select_related("institution", "territory")
        .annotate(
            granted=granted_units(user, Permission.VIEW),
            analysed=granted_units(user, Permission.ANALYSE),
            above=_asked(_ABOVE, field=JSONField()),
            beside=_asked(_BESIDE, field=JSONField()),
            latest=latest,
            place=_asked(_PLACE, by if CODE.fullmatch(by) else ""),
        )
        .first()
    )
    if unit is None:
        raise Http404(_("There is no unit %(code)s that you may see.") % {"code": code})
    granted = None if user.is_superuser else frozenset(unit.granted)
    can_analyse = user.is_superuser or not set(unit.analysed).isdisjoint(unit.path)
    return UnitHere(unit, granted, unit.latest, unit.place, can_analyse)


# The cards -----------------------------------------------------------------------------------------------------------


class Recipes(OrderedDict):
    """Structures of recipes by id: never changed once written, so kept; those used last, `KNOWN_RECIPES` of them."""

    def remember(self, recipe_id: int, structure: dict) -> None:
        self[recipe_id] = structure
        while len(self) > KNOWN_RECIPES:
            self.popitem(last=False)

    def of(self, recipe_id: int) -> dict:
        if recipe_id not in self:  # another thread's page has pushed it out meanwhile
            self.remember(recipe_id, Recipe.objects.values_list("structure", flat=True).get(pk=recipe_id))
        self.move_to_end(recipe_id)
        return self[recipe_id]


RECIPES = Recipes()


@dataclass
class Cards:
    """The cards of a page. own: the month's card or None; by_month: the unit's cards around it; children: theirs."""

    month: date
    own: Any
    by_month: dict[date, Any]
    children: list[Any]

    @property
    def structure(self) -> dict:
        """The plan that made the card."""
        return RECIPES.of(self.own.recipe_id)

    @property
    def version(self) -> str:
        """Changes when anything that the page shows of cards, names or places does."""
        said = [(c.unit_id, c.month, c.digest, c.recipe_id, c.code, c.name, c.name_en, c.boundary) for c in self._all]
        return blake2b(repr(said).encode(), digest_size=12).hexdigest()

    @property
    def _all(self):
        return [*self.by_month.values(), *self.children]

    @property
    def boundaries_version(self) -> str:
        """Changes when what the map draws does."""
        said = ",".join(child.boundary or "" for child in self.children)
        return blake2b(said.encode(), digest_size=8).hexdigest()


def cards_of(unit: Unit, month: date, position: int | None = None) -> Cards:
    """The unit's cards of the month and around it, and its children's of the month. One question."""
    rows = fetch_arrays(
        sql("scorecard_page"),
        {
            "unit": unit.pk,
            "month": month,
            "months": months_before(month, HISTORY),
            "n": 0 if position is None else position + 1,
            "known": list(RECIPES),
        },
    )
    by_month = {row.month: row for row in rows if row.is_own}
    own = by_month.get(month)
    if own is not None and own.structure is not None:
        RECIPES.remember(own.recipe_id, own.structure)
    return Cards(month, own, by_month, [row for row in rows if not row.is_own])


def latest_month(unit: Unit) -> date | None:
    """The latest month in which the unit has a card. One question."""
    return Card.objects.filter(unit=unit).order_by("-month").values_list("month", flat=True).first()


# One indicator ------------------------------------------------------------------------------------------------------


def trend_of(unit: Unit, position: int, month: date, count: int) -> dict[date, Any]:
    """One indicator's cells on the unit's cards of this month and the `count` before it, by month. One question."""
    months = months_before(month, count)
    rows = fetch_arrays(sql("indicator_trend"), {"unit": unit.pk, "months": months, "n": position + 1})
    return {row.month: row for row in rows}


def sheets_of(indicator_code: str) -> list[SheetVersion]:
    """All versions of an indicator's sheet with its people, the earliest first. One question."""
    people = SheetVersion.objects.select_related("indicator__institution", "responsible", "approver")
    return list(people.filter(indicator__code=indicator_code).order_by("version"))
