"""Schematic boundaries that the project draws by itself: cells around subcircuits' points inside a hand-drawn outline.

A subcircuit is what lies nearer to its point than to any other; circuits, districts, subzones, zones and the nation
are unions of subcircuits, so they nest exactly and share their edges. No surveyed boundary is used. Deterministic.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, cKDTree
from shapely.geometry import MultiPolygon, Polygon

from scorecard.sample import outline
from scorecard.sample.territories import CIRCUIT, DISTRICT, NATION, SUBZONE, ZONE, country

SOURCE = "esquema dibujado para el ejemplo"
GRID = 1e-4  # four decimals, about 11 m
ISLANDS = "20"  # province whose cells are drawn in the inset
EXCLAVE = 0.35  # degrees: a part farther than this from its main body is left where it is
NEAR = 0.004  # degrees: points closer than this are pulled apart
ROUNDS = 80


@dataclass(frozen=True)
class Drawing:
    """Cells of the delimited subcircuits.

    `codes` (S,); `points` (S, 2) longitude and latitude of each cell's point, moved a little so that a district's cells
    hang together; `reach` (S,) half the distance in degrees to the next point: a circle of it stays inside the cell's
    Voronoi region; `cells` (S,) shapely polygons. Islands are in the inset.
    """

    codes: tuple[str, ...]
    points: np.ndarray
    reach: np.ndarray
    cells: np.ndarray


def land() -> shapely.Geometry:
    """Mainland, Puná and the islands' inset as one MultiPolygon on the grid."""
    return shapely.union_all([_mainland(), _islands()], grid_size=GRID)


def _mainland():
    return MultiPolygon([Polygon(rounded(ring)) for ring in (outline.MAINLAND, outline.PUNA)])


def _islands():
    return MultiPolygon([Polygon(rounded(np.add(ring, outline.GALAPAGOS_INSET))) for ring in outline.GALAPAGOS])


def rounded(ring, rounds=2) -> np.ndarray:
    """A closed ring with its corners cut twice (Chaikin), so that a sketch of few corners reads as a coast. (V, 2)."""
    ring = np.asarray(ring, float)
    for _ in range(rounds):
        following = np.roll(ring, -1, axis=0)
        ring = np.stack([0.8 * ring + 0.2 * following, 0.2 * ring + 0.8 * following], axis=1).reshape(-1, 2)
    return ring


@cache
def drawing() -> Drawing:
    """The cells of all delimited subcircuits, mainland and islands apart so that no cell crosses the sea between."""
    here = country()
    chosen = here.subcircuits[here.is_delimited[here.subcircuits]]
    codes = tuple(here.places[i].code for i in chosen)
    points = np.array([(here.places[i].longitude, here.places[i].latitude) for i in chosen])
    groups = np.stack([here.ancestor(level)[chosen] for level in (CIRCUIT, DISTRICT)])
    at_sea = np.array([code.startswith(ISLANDS) for code in codes])
    points[at_sea] += outline.GALAPAGOS_INSET
    cells = np.empty(len(codes), object)
    points[~at_sea] = gather(_inside(spread(points[~at_sea]), _mainland()), groups[:, ~at_sea])
    for part, area in ((~at_sea, _mainland()), (at_sea, _islands())):
        points[part] = _inside(points[part], area)
        cells[part] = voronoi(points[part], area)
    gap = cKDTree(points).query(points, k=2)[0][:, 1]
    return Drawing(codes, points, gap / 2, cells)


def spread(points, near=NEAR, rounds=30) -> np.ndarray:
    """Points nearer than `near` degrees are pushed apart, coincident ones in directions set by their order. (S, 2)."""
    points = points.copy()
    turn = np.arange(len(points)) * 2.399963  # the golden angle: neighbours in order leave in different directions
    points += 1e-4 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for _ in range(rounds):
        pairs = cKDTree(points).query_pairs(near, output_type="ndarray")
        if not len(pairs):
            break
        gap = points[pairs[:, 0]] - points[pairs[:, 1]]
        length = np.linalg.norm(gap, axis=1, keepdims=True)
        push = gap / length * (near - length) * 0.55
        np.add.at(points, pairs[:, 0], push / 2)
        np.add.at(points, pairs[:, 1], -push / 2)
    return points


def gather(points, groups, rounds=ROUNDS) -> np.ndarray:
    """Points of a group cut off from its main body move towards it until their cells touch. (S, 2), (G, S) -> (S, 2).

    Groups are labels from the narrowest to the widest, which prevails; parts that are truly far away stay.
    """
    points = points.copy()
    for _ in range(rounds):
        edges = _neighbours(points)
        moves = [_towards_main(points, edges, labels) for labels in groups]
        strays = np.concatenate([stray for stray, _ in moves])
        if not len(strays):
            break
        targets = np.concatenate([target for _, target in moves])
        points[strays] += 0.4 * (targets - points[strays])
        points = spread(points, near=NEAR / 4, rounds=3)
    return points


def _neighbours(points):
    """Pairs of points whose cells touch, (E, 2)."""
    triangles = Delaunay(points).simplices
    return np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])


def _towards_main(points, edges, labels):
    """Points outside the largest connected part of their group, and the nearest point of that part."""
    same = edges[labels[edges[:, 0]] == labels[edges[:, 1]]]
    graph = coo_array((np.ones(len(same)), (same[:, 0], same[:, 1])), shape=(len(points),) * 2)
    _, part = connected_components(graph, directed=False)
    size = np.bincount(part)
    order = np.lexsort((part, -size[part], labels))
    first = np.r_[True, np.diff(labels[order]) != 0]
    main = dict(zip(labels[order][first], part[order][first], strict=True))
    is_stray = part != np.array([main[label] for label in labels])
    strays, targets = [], []
    for label in np.unique(labels[is_stray]):
        body = points[(labels == label) & ~is_stray]
        lost = np.flatnonzero((labels == label) & is_stray)
        gap, nearest = cKDTree(body).query(points[lost])
        near = gap < EXCLAVE
        strays.append(lost[near])
        targets.append(body[nearest[near]])
    if not strays:
        return np.empty(0, int), np.empty((0, 2))
    return np.concatenate(strays), np.concatenate(targets)


def _inside(points, area):
    """Points that the hand-drawn outline leaves out come in from the coast by about a kilometre."""
    out = ~shapely.contains_xy(area, points)
    if not out.any():
        return points
    inner = area.buffer(-0.012)
    lines = shapely.shortest_line(shapely.points(points[out]), inner)
    points = points.copy()
    points[out] = shapely.get_coordinates(shapely.get_point(lines, 1))
    return spread(points, near=NEAR / 2, rounds=5)


def voronoi(points, area) -> np.ndarray:
    """The part of an area nearest to each point, on the grid, in the order of the points. (S, 2) -> (S,).

    Corners are rounded one by one, so that neighbours keep the same ones; only cells on the outline are cut.
    """
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=area, ordered=True))
    cells = shapely.remove_repeated_points(shapely.set_precision(cells, GRID, mode="pointwise"))
    area = shapely.set_precision(area, GRID)
    shapely.prepare(area)
    cut = ~shapely.contains(area, cells)
    cells[cut] = shapely.intersection(cells[cut], area, grid_size=GRID)
    return cells


def geometries() -> dict[str, shapely.Geometry]:
    """Boundary of every delimited place by code: subcircuits as drawn, every other place the union of its own."""
    here, drawn = country(), drawing()
    place = np.array([here.position[code] for code in drawn.codes])
    found = dict(zip(drawn.codes, drawn.cells, strict=True))
    below, members = place, drawn.cells
    for level in (CIRCUIT, DISTRICT, SUBZONE, ZONE, NATION):
        owner = here.ancestor(level)[below]
        above = np.unique(owner)
        members = np.array([shapely.coverage_union_all(members[owner == one]) for one in above])
        found.update(zip((here.places[one].code for one in above), members, strict=True))
        below = above
    return found


def boundaries() -> dict[str, dict]:
    """GeoJSON geometry, to four decimals, of every delimited place by code. Schematic; islands in an inset."""
    return {code: _geojson(shape) for code, shape in geometries().items()}


def _geojson(shape):
    parts = shapely.get_parts(shape)
    rings = [[_ring(ring) for ring in (part.exterior, *part.interiors)] for part in map(_oriented, parts)]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _oriented(part):
    return shapely.geometry.polygon.orient(part)  # exterior rings counter-clockwise, as RFC 7946 has it


def _ring(ring):
    return np.round(np.asarray(ring.coords), 4).tolist()
