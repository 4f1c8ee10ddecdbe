"""The place that is sought on a large map: one of those drawn, or the one that what was found lies in."""

from __future__ import annotations

from typing import Any, NamedTuple

from scorecard.atlas.figures import Atlas
from scorecard.views.search import find
from units.files import fold
from units.models import Unit


class Found(NamedTuple):
    """row: what is drawn; unit: what was found within it, None where it is the row itself."""

    row: Any
    unit: Unit | None = None


def sought(atlas: Atlas, user, text: str) -> Found | None:
    """By code, by name, or by the first of the units that the person may see and that lie in what is drawn."""
    if not text:
        return None
    code, name = text.upper(), fold(text)
    for is_it in (
        lambda row: row.code == code,
        lambda row: fold(atlas.name(row)) == name,
        lambda row: name in fold(atlas.name(row)),
    ):
        row = next(filter(is_it, atlas.rows), None)
        if row is not None:
            return Found(row)
    drawn = {row.unit_id: row for row in atlas.rows}
    for unit in find(user, text)[0]:
        within = next((pk for pk in unit.path if pk in drawn), None)
        if within is not None:
            return Found(drawn[within], unit)
    return None
