"""Events by day and category, and by territory of one level: what a table of the last 28 days asks of the incidents."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from incidents.hotspots.read import Selection, fetch

BY_DAY = "SELECT i.occurred_on, i.category_id, count(*) FROM incidents_incident i WHERE {where} GROUP BY 1, 2"
BY_PLACE = """
WITH RECURSIVE down(top, id) AS (
    SELECT t.id, t.id FROM units_territory t WHERE t.level = %(level)s
    UNION ALL
    SELECT down.top, t.id FROM down JOIN units_territory t ON t.parent_id = down.id
)
SELECT down.top, count(*) FROM incidents_incident i JOIN down ON down.id = i.territory_id WHERE {where} GROUP BY 1
"""


class Daily(NamedTuple):
    """How many events of a category there were on a day."""

    day: date
    category: int
    events: int


def by_day(asked: Selection) -> list[Daily]:
    """One question, whatever the span."""
    return [Daily(*row) for row in fetch(BY_DAY.format(where=asked.where), asked.parameters)]


def by_place(asked: Selection, level: int) -> dict[int, int]:
    """{territory id: events in it and below} for the territories of one level that have some; one question."""
    rows = fetch(BY_PLACE.format(where=asked.where), {**asked.parameters, "level": level})
    return dict(rows)
