"""Where it happened: a code to its territory, or to the nearest one above that is known; a point to its polygon. Pure.

Territories come as arrays (N,): codes, levels (0 nation ... 5 subcircuit), whether delimited.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import shapely

POINT, SUBCIRCUIT, COARSER, NOT_DELIMITED, MISSING = 1, 2, 3, 4, 5  # models.PlacePrecision
LOWEST = 5
UNKNOWN = -1


@dataclass
class Gazetteer:
    """The territories by code."""

    ids: np.ndarray
    codes: list
    levels: np.ndarray
    delimited: np.ndarray

    def __post_init__(self):
        self.at = {code: i for i, code in enumerate(self.codes)}

    @property
    def nation(self):
        """Ordinal of the territory of the highest level, or UNKNOWN."""
        top = np.flatnonzero((self.levels == 0) & self.delimited)
        return int(top[0]) if len(top) else UNKNOWN

    @property
    def not_delimited(self):
        """Ordinal of the highest territory that is not delimited, or UNKNOWN."""
        found = np.flatnonzero(~self.delimited)
        return int(found[np.argmin(self.levels[found])]) if len(found) else UNKNOWN


def resolve(codes, gazetteer, not_delimited):
    """Ordinals of the territories of codes, and by which rule each was mended (None: the code is a territory's own).

    A code of the grammar PPDnnCnnSnn that is not known goes to its circuit (8 letters), then to its district (5); one
    that begins with `not_delimited` to the not-delimited zone. UNKNOWN with the rule "district_unknown" for the rest.
    """
    places, rules = [], []
    for code in codes:
        place, rule = _resolve(code, gazetteer, not_delimited)
        places.append(place)
        rules.append(rule)
    return np.array(places, np.int64), rules


def _resolve(code, gazetteer, not_delimited):
    if code in gazetteer.at:
        place = gazetteer.at[code]
        return place, None if gazetteer.delimited[place] else "not_delimited"
    if code.startswith(not_delimited):
        for length in range(len(code) - 3, len(not_delimited), -3):
            if code[:length] in gazetteer.at:
                return gazetteer.at[code[:length]], "not_delimited_code"
        place = gazetteer.not_delimited
        return place, "not_delimited_code" if place != UNKNOWN else "district_unknown"
    for length, rule in ((8, "place_to_circuit"), (5, "place_to_district")):
        if code[:length] in gazetteer.at:
            return gazetteer.at[code[:length]], rule
    return UNKNOWN, "district_unknown"


def precision(places, has_point, gazetteer):
    """PlacePrecision of rows (R,): a point, the subcircuit's centre, a coarser territory, not delimited, or missing.

    places: ordinals of territories, UNKNOWN where the source says nothing of the place.
    """
    safe = np.maximum(places, 0)
    known = places != UNKNOWN
    found = np.where(gazetteer.levels[safe] == LOWEST, SUBCIRCUIT, COARSER)
    found = np.where(gazetteer.delimited[safe], found, NOT_DELIMITED)
    found = np.where(known, found, MISSING)
    return np.where(has_point, POINT, found).astype(np.int16)


def locate(longitude, latitude, polygons):
    """The polygon that each point (R,) lies in, as an index, UNKNOWN outside all; the lowest where several touch."""
    tree = shapely.STRtree(polygons)
    points = shapely.points(longitude, latitude)
    which, polygon = tree.query(points, predicate="intersects")
    found = np.full(len(points), len(polygons), np.int64)
    np.minimum.at(found, which, polygon)
    return np.where(found == len(polygons), UNKNOWN, found)


def shapes(geometries):
    """GeoJSON geometries (dicts) as polygons that can be asked."""
    return shapely.from_geojson([json.dumps(geometry) for geometry in geometries])
