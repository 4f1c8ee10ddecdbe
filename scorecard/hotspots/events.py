"""The events themselves, for a map that clusters them: points packed, and the boundaries that lie under them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
import shapely.geometry
from django.utils.translation import gettext as _

from scorecard import wording
from scorecard.geometry import geometries
from scorecard.hotspots.spots import Spots

MOST = 100_000  # points that one map draws: the latest
SCALE = 100_000  # to the degree: about a metre
FINENESS = 1500  # boundaries are drawn to this part of the map's width


def packed(spots: Spots) -> bytes:
    """(N,) longitudes, then as many latitudes, in 1/SCALE degrees: little-endian int32, the latest events first."""
    points = spots.points
    latest = np.argsort(-points.day.astype(np.int64), kind="stable")[:MOST]
    return b"".join(
        np.rint(degrees[latest] * SCALE).astype("<i4").tobytes() for degrees in (points.longitude, points.latitude)
    )


def drawing(spots: Spots) -> dict[str, Any]:
    """What the page tells its script, and what it says of points that are left out."""
    shown = min(len(spots.points), MOST)
    text = _("The latest %(n)s of %(of)s events are drawn.") if shown < len(spots.points) else ""
    return {
        "href": f"/hotspots/{spots.unit.code}/points?{spots.asked.query(spot=None)}",
        "bounds": list(spots.bounds),
        "lines": lines(spots),
        "note": text % {"n": wording.number(shown, 0), "of": wording.number(len(spots.points), 0)} if text else "",
    }


def lines(spots: Spots) -> dict[str, Any]:
    """The boundaries under the events as GeoJSON, as fine as the map shows them."""
    rows, _paths = spots.drawn
    west, _south, east, _north = spots.bounds
    found = []
    for geometry in geometries([row for row in rows if row.boundary]).values():
        shape = shapely.simplify(shapely.geometry.shape(geometry), (east - west) / FINENESS)
        found.append({"type": "Feature", "properties": {}, "geometry": _rounded(shape)})
    return {"type": "FeatureCollection", "features": found}


def _rounded(shape) -> dict[str, Any]:
    return shapely.geometry.mapping(shapely.transform(shape, lambda points: np.round(points, 4)))
