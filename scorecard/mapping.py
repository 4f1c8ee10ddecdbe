"""Boundaries as SVG paths: an equirectangular projection true to scale at the middle latitude, simplified to a grid.

Every vertex is rounded the same way wherever it occurs, so neighbours still meet after simplification.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Ring = np.ndarray


class Inset(NamedTuple):
    """A part of the country drawn elsewhere: rings wholly inside the box (degrees) are moved by (east, north)."""

    west: float
    south: float
    east: float
    north: float
    move_east: float
    move_north: float = 0.0


class Frame(NamedTuple):
    """Where degrees lie in a drawing: x and y are 0 at its west and north."""

    west: float
    north: float
    width_of_degree: float
    height_of_degree: float

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        return (longitude - self.west) * self.width_of_degree, (self.north - latitude) * self.height_of_degree


class Projected(NamedTuple):
    """Paths by code, the viewBox that holds them, the frame that places points among them, a middle of each area."""

    view_box: str
    paths: dict[Any, str]
    frame: Frame | None = None
    middles: Mapping[Any, tuple[float, float]] = {}


def _polygons(geometry: Mapping[str, Any]) -> Iterable[Sequence[Sequence[Sequence[float]]]]:
    kind = geometry["type"]
    if kind == "Polygon":
        return [geometry["coordinates"]]
    if kind == "MultiPolygon":
        return geometry["coordinates"]
    if kind == "GeometryCollection":
        return [polygon for part in geometry["geometries"] for polygon in _polygons(part)]
    return []  # points and lines have no area


def _rings(geometry: Mapping[str, Any], insets: Sequence[Inset]) -> list[Ring]:
    """The rings of an area as arrays of (n, 2) degrees, those inside an inset moved."""
    rings = []
    for polygon in _polygons(geometry):
        for raw in polygon:
            ring = np.asarray(raw, dtype=np.float64)[:, :2]
            rings.append(_moved(ring, insets))
    return rings


def _moved(ring: Ring, insets: Sequence[Inset]) -> Ring:
    low, high = ring.min(axis=0), ring.max(axis=0)
    for inset in insets:
        if low[0] >= inset.west and low[1] >= inset.south and high[0] <= inset.east and high[1] <= inset.north:
            return ring + np.array((inset.move_east, inset.move_north))
    return ring


def _simplified(points: np.ndarray) -> np.ndarray:
    """Grid points, (n, 2) int, without repetitions and without points on a straight run."""
    points = points[np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]]
    if len(points) > 1 and (points[0] == points[-1]).all():
        points = points[:-1]
    if len(points) < 3:
        return points
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    back = (before * after).sum(axis=1) < 0
    return points[turns | back]


def _number(tenths: int) -> str:
    whole, rest = divmod(abs(tenths), 10)
    text = (str(whole) if whole or not rest else "") + (f".{rest}" if rest else "")
    return "-" + text if tenths < 0 else text


def _ring_path(points: np.ndarray) -> str:
    """A closed ring as 'M x y l dx dy ... z'; grid points are tenths of a drawing unit."""
    (x, y), steps = points[0], np.diff(points, axis=0)
    return (
        f"M{_number(int(x))} {_number(int(y))}l"
        + " ".join(f"{_number(a)} {_number(b)}" for a, b in steps.tolist())
        + "z"
    )


def project(
    geometries: Mapping[Any, Mapping[str, Any]], *, width: int = 720, grid: float = 0.5, insets: Sequence[Inset] = ()
) -> Projected:
    """GeoJSON geometries (EPSG:4326) by code as SVG paths `width` wide; grid in drawing units, 0.1 or more.

    Points are scaled by cos(latitude) in x, so shapes are true at the middle of the country. An area smaller than the
    grid becomes a small diamond, never nothing.
    """
    rings = {code: _rings(geometry, insets) for code, geometry in geometries.items()}
    everything = [ring for some in rings.values() for ring in some if len(ring)]
    if not everything:
        return Projected(f"0 0 {width} {width}", dict.fromkeys(geometries, ""))
    low = np.min([ring.min(axis=0) for ring in everything], axis=0)
    high = np.max([ring.max(axis=0) for ring in everything], axis=0)
    narrowing = math.cos(math.radians((low[1] + high[1]) / 2))
    degree = width / max((high[0] - low[0]) * narrowing, 1e-9)
    step = max(1, round(grid * 10))

    def on_grid(ring: Ring) -> np.ndarray:
        x = (ring[:, 0] - low[0]) * narrowing * degree
        y = (high[1] - ring[:, 1]) * degree
        return np.rint(np.column_stack((x, y)) * 10 / step).astype(np.int64) * step

    paths = {code: _area_path([on_grid(ring) for ring in some]) for code, some in rings.items()}
    frame = Frame(float(low[0]), float(high[1]), float(narrowing * degree), float(degree))
    middles = {code: frame.place(*_middle(some)) for code, some in rings.items() if some}
    return Projected(f"0 0 {width} {math.ceil((high[1] - low[1]) * degree)}", paths, frame, middles)


def _middle(rings: Sequence[Ring]) -> tuple[float, float]:
    """The centre of gravity of the largest ring, in degrees."""
    found, most = (0.0, 0.0), -1.0
    for ring in rings:
        x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
        cross = x * np.roll(y, -1) - np.roll(x, -1) * y
        area = cross.sum() / 2
        if abs(area) <= most:
            continue
        most = abs(area)
        if most:
            moved = ((x + np.roll(x, -1)) * cross).sum() / (6 * area), ((y + np.roll(y, -1)) * cross).sum() / (6 * area)
        else:
            moved = (x.mean(), y.mean())
        found = (float(ring[0, 0] + moved[0]), float(ring[0, 1] + moved[1]))
    return found


def _area_path(rings: Sequence[np.ndarray]) -> str:
    drawn = [ring for ring in map(_simplified, rings) if len(ring) >= 3]
    if drawn:
        return "".join(map(_ring_path, drawn))
    if not rings:
        return ""
    x, y = rings[0][0]
    return _ring_path(np.array([[x, y - 10], [x + 10, y], [x, y + 10], [x - 10, y]]))
