"""A place sought by name or code within a unit, for its map of hot spots."""

from __future__ import annotations

from scorecard.views.search import find
from units.files import fold
from units.models import Unit

MOST_FOUND = 250  # units that are looked through
SHOWN = 12
LONGEST = 80  # letters


def sought(given) -> str:
    """What the address seeks."""
    return given.get("place", "").strip()[:LONGEST]


def places_in(user, unit: Unit, text: str) -> list[Unit]:
    """The unit and those below it that are called so, or cover what is called so; the one that is meant alone.

    Meant is the one whose name or code is the whole text, or the only one that is found.
    """
    found = [one for one in find(user, text, MOST_FOUND)[0] if unit.pk in one.path and one.territory is not None]
    meant = [one for one in found if fold(text) in _names(one)]
    return meant if len(meant) == 1 else found


def _names(unit: Unit) -> set[str]:
    place = unit.territory
    return {fold(name) for name in (unit.code, unit.name, unit.name_en, place.code, place.name, place.name_en)} - {""}
