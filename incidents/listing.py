"""Incidents of a unit's territory one by one: which, how many, a page of them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.db import connection

from incidents.hotspots.read import Selection
from incidents.models import Incident

KEYS = """
SELECT i.occurred_on, i.id FROM incidents_incident i WHERE {where}
ORDER BY i.occurred_on DESC, i.occurred_at DESC NULLS LAST, i.id DESC LIMIT %(_limit)s OFFSET %(_offset)s
"""
COUNT = "SELECT count(*) FROM incidents_incident i WHERE {where}"


class Listing:
    """What a selection takes, bound by more conditions in SQL over `i`; the latest first."""

    def __init__(self, selection: Selection, such: tuple[str, list[Any]] = ("true", [])):
        clause, values = such
        names = iter(range(len(values)))
        bound = re.sub("%s", lambda _match: f"%(more{next(names)})s", clause)
        self.where = f"{selection.where} AND {selection.hours_where} AND {bound}"
        self.parameters = {**selection.parameters, **{f"more{n}": value for n, value in enumerate(values)}}

    def count(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(where=self.where), self.parameters)
            return cursor.fetchone()[0]

    def page(self, user, limit: int, offset: int = 0) -> list[Incident]:
        """Incidents that the person may see, with their category, territory and source, the latest first."""
        keys = self._keys(limit, offset)
        if not keys:
            return []
        seen = Incident.objects.visible_to(user).filter(
            occurred_on__in=sorted({day for day, _pk in keys}), id__in=[pk for _day, pk in keys]
        )
        found = {one.id: one for one in seen.select_related("category", "territory", "source")}
        return [found[pk] for _day, pk in keys if pk in found]

    def _keys(self, limit: int, offset: int) -> list[tuple[date, int]]:
        with connection.cursor() as cursor:
            cursor.execute(KEYS.format(where=self.where), {**self.parameters, "_limit": limit, "_offset": offset})
            return cursor.fetchall()
