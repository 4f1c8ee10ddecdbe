"""Boundaries of a unit's children as SVG paths, kept in the process as long as the boundaries stay as they are."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from scorecard.mapping import Projected, project
from scorecard.queries import Cards
from units.models import Boundary

KEPT = 512
WIDTH, GRID = 720, 1.0
_paths: OrderedDict[tuple[str, ...], Projected] = OrderedDict()
_lock = Lock()


def paths_of(rows) -> Projected:
    """SVG paths by unit id of card rows that have a boundary.

    The key is the set of units with their boundaries' ids and row versions, so a changed boundary is another key.
    """
    drawn = [row for row in rows if row.boundary]
    key = tuple(f"{row.unit_id}:{row.boundary}" for row in drawn)
    with _lock:
        if key in _paths:
            _paths.move_to_end(key)
            return _paths[key]
    made = project(geometries(drawn), width=WIDTH, grid=GRID)
    with _lock:
        _paths[key] = made
        while len(_paths) > KEPT:
            _paths.popitem(last=False)
    return made


def geometries(rows) -> dict[int, dict]:
    """GeoJSON by unit id of card rows that have a boundary."""
    wanted = {int(row.boundary.partition(".")[0]): row.unit_id for row in rows}
    found = dict(Boundary.objects.filter(pk__in=wanted).values_list("pk", "geometry"))
    return {unit: found[pk] for pk, unit in wanted.items() if pk in found}


def drawn_rows(cards: Cards) -> list:
    """What the map draws: the children, or the unit's own place where it has none."""
    return cards.children or ([cards.own] if cards.own is not None else [])


def note_on(rows) -> str:
    """Which of the rows the map cannot show."""
    missing = [row for row in rows if not row.boundary]
    if not missing:
        return ""
    is_english = get_language() == "en"
    names = ", ".join((is_english and row.name_en) or row.name for row in missing[:3])
    if all(row.is_delimited is False for row in missing):
        return _("Not delimited, so only in the table: %(names)s.") % {"names": names}
    if len(missing) > 3:
        return _("%(count)s units have no boundary and are only in the table.") % {"count": len(missing)}
    return _("No boundary, so only in the table: %(names)s.") % {"names": names}
