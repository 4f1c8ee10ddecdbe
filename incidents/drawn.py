"""Where a map shows incidents: at their own point, or at the middle of a small place where that alone is known.

What is stored stays as it was said. An approximate point is for the eye; no density is computed from it.
"""

from __future__ import annotations

from typing import NamedTuple

import shapely
from django.db.models import Case, JSONField, OuterRef, Subquery, When

from incidents.georeference import shapes
from units.models import Boundary, Level, Territory


class Drawn(NamedTuple):
    """A point in degrees; whether it is but the middle of the place."""

    longitude: float
    latitude: float
    is_approximate: bool


class Middles:
    """The middles of the places of incidents (or of past accounts of them) that have no point. One query, or none.

    The middle: the place's own point, else that of its latest boundary. A place larger than a district has none, for
    a dot in the midst of a zone would tell nobody anything.
    """

    def __init__(self, incidents):
        wanted = {one.territory_id for one in incidents if one.longitude is None} - {None}
        self.points = _middles(wanted) if wanted else {}

    def of(self, one) -> Drawn | None:
        """Where one of these incidents is drawn; None where that is not known well enough."""
        if one.longitude is not None:
            return Drawn(one.longitude, one.latitude, is_approximate=False)
        point = self.points.get(one.territory_id)
        return Drawn(*point, is_approximate=True) if point else None


def _middles(territories) -> dict[int, tuple[float, float]]:
    latest = Boundary.objects.filter(territory=OuterRef("pk")).order_by("-valid_from").values("geometry")[:1]
    rows = (
        Territory.objects.filter(pk__in=territories, is_delimited=True, level__gte=Level.DISTRICT)
        .annotate(line=Case(When(latitude=None, then=Subquery(latest)), default=None, output_field=JSONField()))
        .values_list("pk", "longitude", "latitude", "line")
    )
    return {pk: point for pk, x, y, line in rows if (point := _point(x, y, line)) is not None}


def _point(longitude, latitude, line) -> tuple[float, float] | None:
    if longitude is not None and latitude is not None:
        return longitude, latitude
    if line is None:
        return None
    (area,) = shapes([line])
    middle = area.centroid
    if middle.is_empty:
        return None
    if not area.contains(middle):  # of a crescent it lies outside
        middle = shapely.point_on_surface(area)
    return middle.x, middle.y
