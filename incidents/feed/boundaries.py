"""From a point to the lowest territory whose boundary held it on that day. One tree a set of lines."""

from __future__ import annotations

import bisect
from datetime import date

import numpy as np
import shapely
from django.db.models import Q

from incidents.georeference import UNKNOWN, shapes
from units.models import Boundary


class _Tree:
    """The boundaries of one time, higher levels first: of several that hold a point, the last is the lowest."""

    def __init__(self, rows):
        self.territories = np.array([territory for territory, _ in rows], np.int64)
        self.polygons = shapes([geometry for _, geometry in rows]) if rows else np.empty(0, object)
        shapely.prepare(self.polygons)
        self.tree = shapely.STRtree(self.polygons)

    def locate(self, longitude, latitude):
        """Territory ids of points (R,), 0 for those that no boundary holds."""
        found = np.full(len(longitude), UNKNOWN, np.int64)
        point, polygon = self.tree.query(shapely.points(longitude, latitude))
        if len(point):
            inside = shapely.intersects_xy(self.polygons[polygon], longitude[point], latitude[point])
            np.maximum.at(found, point[inside], polygon[inside])
        return np.where(found == UNKNOWN, 0, self.territories[found] if len(self.territories) else 0)


class Boundaries:
    """All the lines that ever held, by the days on which they change."""

    def __init__(self):
        periods = Boundary.objects.values_list("valid_from", "valid_to")
        days = {day.toordinal() for period in periods for day in period if day is not None}
        self.changes = sorted(days)
        self.trees = {}

    @property
    def is_empty(self):
        return not self.changes

    def locate(self, days, longitude, latitude):
        """Territory ids (R,) of points (R,) on their days (dates), 0 for those that no boundary holds."""
        spans = [bisect.bisect_right(self.changes, day.toordinal()) for day in days]
        if len(set(spans)) == 1:
            return self._tree(spans[0]).locate(longitude, latitude)
        found, spans = np.zeros(len(days), np.int64), np.array(spans)
        for span in np.unique(spans).tolist():
            here = spans == span
            found[here] = self._tree(span).locate(longitude[here], latitude[here])
        return found

    def _tree(self, span):
        """Boundaries do not change between two of the days: one tree serves them all."""
        if span not in self.trees:
            self.trees[span] = _Tree(self._read(span))
        return self.trees[span]

    def _read(self, span):
        if not span:
            return []
        on = date.fromordinal(self.changes[span - 1])
        held = Boundary.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)
        return list(held.order_by("territory__level", "-territory_id").values_list("territory_id", "geometry"))
