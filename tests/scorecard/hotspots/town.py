"""Events of a town in one circuit of the small country, thick in one corner, over two years."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.scorecard.events import happened

HERE = ZoneInfo("America/Guayaquil")
NOW = datetime(2024, 1, 10, 17, tzinfo=HERE)
CORNER = (0.2, 0.25)  # of the district's box: where most happens


def box_of(country, code="01D01"):
    """West, south, east, north of a territory in degrees."""
    geometry = country.territories[code].boundaries.first().geometry
    x, y = np.array(geometry["coordinates"][0]).T
    return x.min(), y.min(), x.max(), y.max()


def middle_of(country):
    west, south, east, north = box_of(country)
    return (west + east) / 2, (south + north) / 2


def town(country, category, *, count=240, seed=1, place="01D01C01", days=700):
    """Half of the events in the corner, half anywhere; one in ten without a point."""
    rng = np.random.default_rng(seed)
    west, south, east, north = box_of(country)
    for n in range(count):
        x, y = rng.normal(CORNER, 0.01) if n % 2 else rng.uniform(0.05, 0.95, 2)
        point = (west + x * (east - west), south + y * (north - south)) if n % 10 else None
        at = NOW - timedelta(days=1 + n * days // count, hours=int(rng.integers(0, 12)))
        happened(country, category, place, at, point=point)
