"""`manage.py bench hotspots`: Gi* beside esda, density beside scikit-learn and KDEpy, and from PostgreSQL end to end.

The same points go to all. From PostgreSQL: the hot spots that the page draws, by Gi* and by density, beside merely
reading their points out, packed as one column, in the quickest way that we know.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.core.cache import cache
from django.db import connection

from benchmarks import national
from benchmarks.database import scratch_database
from benchmarks.harness import alternate, bench
from benchmarks.incidents import squares
from incidents import dictionary
from incidents.hotspots import density, gi_star
from incidents.hotspots.grid import Grid
from incidents.models import Category
from units.models import Boundary, Unit

SIZES = {
    "national": {"levels": national.LEVELS, "events": 5_000_000, "points": 1_000_000, "side": 1000},
    "small": {"levels": (1, 3, 9, 12), "events": 100_000, "points": 50_000, "side": 200},
}
FIRST, YEARS = date(2014, 1, 1), 10
NOW = datetime(2024, 1, 1, tzinfo=UTC)
SAMPLE = 20_000  # events of which scikit-learn makes the whole sum
CHECKED = 400  # cells in which it does
BANDWIDTH = 800.0  # metres, of cells of a hundred
EVENTS = """
INSERT INTO incidents_incident (occurred_on, occurred_at, time_precision, source_id, category_id, territory_id,
    place_precision, longitude, latitude)
SELECT %(first)s::date + n %% %(days)s, make_time(n %% 24, n %% 60, 0), 3, %(source)s, %(category)s,
    t.ids[k], 1, t.x[k] + 0.1 * power(random(), 2), t.y[k] + 0.1 * power(random(), 2)
FROM (
    SELECT n, 1 + floor(%(places)s * power(n * 0.61803398875::float8 - floor(n * 0.61803398875::float8), 2))::int AS k
    FROM generate_series(1, %(events)s) n
) e, (SELECT %(ids)s::int[] AS ids, %(x)s::float8[] AS x, %(y)s::float8[] AS y) t
"""
# Merely the points: nothing else is read, and no more rows travel than there are partitions.
MERELY = """
SELECT string_agg(point_send(point(longitude, latitude)), ''::bytea) FROM incidents_incident
WHERE occurred_on >= %(start)s AND occurred_on < %(end)s AND longitude IS NOT NULL {within} GROUP BY tableoid
"""


@bench("hotspots")
def hotspots(report, options):
    """Arithmetic beside the libraries of the field, then the whole way from the table to the map."""
    size = SIZES[options["size"]]
    _gi_star(report)
    _density(report, size)
    with scratch_database():
        _from_postgresql(report, size)


def _gi_star(report):
    """On 300 x 300 cells with queen neighbours; esda's weights are made before the clock starts."""
    from esda.getisord import G_Local
    from libpysal.weights import lat2W

    values = np.random.default_rng(1).poisson(0.7, (300, 300)).astype(float)
    weights, kept = lat2W(300, 300, rook=False), {}
    flat = values.ravel()

    def theirs():
        kept["z"] = G_Local(flat, weights, transform="B", star=True, permutations=0).Zs

    def ours():
        kept["ours"] = gi_star.gi_star(values)

    mine, peer = alternate(ours, theirs)
    report.times("Gi* on 300 x 300", peer, beside="ours", peer=mine, at_least=500)
    report.fact("Gi* beside esda, greatest difference", _apart(kept["ours"].ravel(), kept["z"]), "z", at_most=1e-9)


def _density(report, size):
    from KDEpy import FFTKDE

    side = size["side"]
    grid = Grid(-80.0, -2.3, 100.0, side, side, -2.0)
    longitude, latitude = _town(np.random.default_rng(2), grid, size["points"])
    points, middles = np.column_stack(grid.metres(longitude, latitude)), _middles(side)
    # KDEpy cuts its kernel where that falls below an absolute 1e-4: in metres it would lose a seventh of its mass.
    in_bandwidths, at, kept = points / BANDWIDTH, middles / BANDWIDTH, {}

    def ours():
        kept["ours"] = density.density(longitude, latitude, grid, BANDWIDTH)

    def theirs():
        kept["theirs"] = FFTKDE(kernel="gaussian", bw=1.0).fit(in_bandwidths).evaluate(at)

    mine, peer = alternate(ours, theirs)
    name = f"density of {size['points']:,} points on {side:,} x {side:,}"
    report.times(name, peer, beside="ours", peer=mine, at_least=5)
    theirs = kept["theirs"].reshape(side, side).T * len(points) * 1e6 / BANDWIDTH**2
    checked = np.random.default_rng(3).choice(side * side, CHECKED, replace=False)
    checked[0] = kept["ours"].argmax()
    whole = _whole_sum(points, middles, checked, side)
    peak = float(whole.max())
    report.fact("density beside the whole sum", _apart(kept["ours"].flat[checked], whole) / peak, "of the peak",
                at_most=0.005)  # fmt: skip
    report.fact("KDEpy beside the whole sum", _apart(theirs.flat[checked], whole) / peak, "of the peak")
    _scikit_learn(report, points, longitude, latitude, grid, middles, checked)


def _town(rng, grid, count):
    """Points of three clusters within the grid, in degrees."""
    middle = rng.uniform(0.3, 0.7, (3, 2))[rng.integers(0, 3, count)]
    x, y = np.clip(rng.normal(middle, 0.08), 0.01, 0.99).T
    wide, high = grid.step
    return grid.west + x * grid.columns * wide, grid.south + y * grid.rows * high


def _middles(side):
    """Middles of cells in metres as KDEpy wants them: x slowest, evenly spaced."""
    along = (np.arange(side) + 0.5) * 100.0
    x, y = np.meshgrid(along, along, indexing="ij")
    return np.column_stack((x.ravel(), y.ravel()))


def _at(middles, checked, side):
    row, column = np.divmod(checked, side)
    return middles[column * side + row]


def _whole_sum(points, middles, checked, side):
    """Events a square kilometre by adding up every kernel."""
    found = np.empty(len(checked))
    for n, (x, y) in enumerate(_at(middles, checked, side)):
        apart = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2
        found[n] = np.exp(-apart / (2 * BANDWIDTH**2)).sum()
    return found / (2 * np.pi * BANDWIDTH**2) * 1e6


def _scikit_learn(report, points, longitude, latitude, grid, middles, checked):
    from sklearn.neighbors import KernelDensity

    some = np.random.default_rng(4).choice(len(points), min(SAMPLE, len(points)), replace=False)
    model = KernelDensity(bandwidth=BANDWIDTH, kernel="gaussian", rtol=1e-6).fit(points[some])
    theirs = np.exp(model.score_samples(_at(middles, checked, grid.columns))) * len(some) * 1e6
    ours = density.density(longitude[some], latitude[some], grid, BANDWIDTH)
    report.fact("density beside scikit-learn", _apart(ours.flat[checked], theirs) / float(ours.max()), "of the peak",
                at_most=0.005)  # fmt: skip


def _apart(one, other):
    return float(np.abs(one - other).max())


# From PostgreSQL -----------------------------------------------------------------------------------------------------


def _from_postgresql(report, size):
    from scorecard.hotspots.asked import Asked

    nation, district = _country(size)
    last = date(FIRST.year + YEARS - 1, 12, 31)
    for name, unit, first, at_most in (
        (f"the nation's ten years, {size['events']:,} events", nation, FIRST, 2.0),
        ("a district's year", district, date(last.year, 1, 1), 3.0),
    ):
        for method in ("gi", "density"):
            asked = Asked(first, last, method)
            _hot_spots(unit, asked)  # the area's cells are kept by the process, as on a site that runs
            ours, merely = alternate(
                lambda unit=unit, asked=asked: _hot_spots(unit, asked),
                lambda unit=unit, first=first: _merely(unit, first, last),
                runs=5,
            )
            report.times(f"{name}, {method}", ours, beside="merely reading", peer=merely, at_most=at_most)
        _by_itself(report, name, unit, Asked(first, last), last)


def _by_itself(report, name, unit, asked, last):
    """What the page draws where no method is named: every method is held against the past first, then kept a while."""
    for words, forget in (("the method chosen by test", True), ("the same again, the test kept", False)):
        ours, merely = alternate(
            lambda forget=forget: _hot_spots(unit, asked, forget),
            lambda: _merely(unit, asked.first, last),
            runs=3,
        )
        report.times(f"{name}, {words}", ours, beside="merely reading", peer=merely)


def _hot_spots(unit, asked, forget=False):
    """What the page draws: the surface, and which cells are hottest."""
    from scorecard.hotspots.spots import Spots

    if forget:
        cache.clear()
    spots = Spots(unit, asked, NOW)
    if not spots.found.surface.is_hot.any() or not spots.hottest:
        raise AssertionError("nothing is hot")


def _merely(unit, first, last):
    """The points as numbers, and nothing else."""
    from incidents.hotspots import read

    asked = {"start": first, "end": last + timedelta(days=1)}
    places = read.below(unit.territory)
    if places is not None:
        asked["places"] = list(places)
    rows = read.fetch(MERELY.format(within="" if places is None else "AND territory_id = ANY(%(places)s)"), asked)
    points = np.frombuffer(b"".join(row[0] for row in rows), ">f8").astype(np.float64)
    if not len(points):
        raise AssertionError("there are no points")


def _country(size):
    """A country with a boundary for the nation and each district, and its events; (nation, a district)."""
    country = national.load(levels=size["levels"], indicators=1, months=1)
    dictionary.ensure()
    corners = squares(country)
    units = Unit.objects.select_related("territory", "institution").in_bulk(country.unit_ids.tolist())
    leaves = [units[pk] for pk in country.unit_ids[country.leaves].tolist()]
    days = (date(FIRST.year + YEARS, 1, 1) - FIRST).days
    with connection.cursor() as cursor:
        cursor.execute(
            EVENTS,
            {
                "first": FIRST,
                "days": days,
                "source": country.institution.pk,
                "category": Category.objects.get(code="ROBBERY.PERSONS").pk,
                "ids": [leaf.territory_id for leaf in leaves],
                "x": [x for x, _ in corners],
                "y": [y for _, y in corners],
                "places": len(leaves),
                "events": size["events"],
            },
        )
        cursor.execute("VACUUM ANALYZE incidents_incident")
    nation = units[int(country.unit_ids[0])]
    level = 3 if len(size["levels"]) > 4 else 2
    districts = np.flatnonzero(country.level == level)
    district = units[int(country.unit_ids[districts[len(districts) // 2]])]
    for unit in (nation, district):
        held = [corner for leaf, corner in zip(leaves, corners, strict=True) if unit.pk in leaf.path]
        _boundary(unit, held)
    return nation, district


def _boundary(unit, corners):
    """The box around its leaves."""
    x, y = np.array(corners).T
    west, south, east, north = x.min(), y.min(), x.max() + 0.1, y.max() + 0.1
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    Boundary.objects.create(
        territory_id=unit.territory_id, valid_from="2000-01-01",
        geometry={"type": "Polygon", "coordinates": [ring]}, source="generated", is_schematic=True,
    )  # fmt: skip
