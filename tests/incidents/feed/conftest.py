from datetime import UTC, datetime

import pytest

NOW = datetime(2024, 12, 2, 15, 0, tzinfo=UTC)

# Squares of a degree, side by side, for the districts and subcircuits of tests.incidents.country.small_rows.
WEST, SOUTH = -80.0, -3.0


def square(x, y, size):
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def item(external_id="A-1", **changes):
    """An item as an institution sends it, with what is said changed."""
    said = {
        "external_id": external_id,
        "category": "HOMICIDE.MURDER",
        "occurred_on": "2024-11-20",
        "occurred_at": "14:05",
        "place": "09D01C01S01",
        "victims": [{"sex": "HOMBRE", "age": 30}],
    }
    return {key: value for key, value in {**said, **changes}.items() if value is not None}


@pytest.fixture
def account(country):
    from units.models import User

    return User.objects.create(username="feed.pn")


@pytest.fixture
def send(country, account):
    """`send(item, ...)` for the police: the Outcome. Items as dicts, or `body=` with `kind=`."""
    from incidents import feed

    def receive(*items, now=NOW, institution=None, **how):
        given = {"items": list(items)} if items else {}
        return feed.receive(account=account, institution=institution or country.police, now=now, **given, **how)

    return receive


@pytest.fixture
def boundaries(country):
    """A square a subcircuit, four of them a district; the circuits have none."""
    from units.models import Boundary

    made = []
    for d, district in enumerate(("09D01", "09D02")):
        made.append((district, square(WEST + d, SOUTH, 1)))
        for c in (1, 2):
            for s in (1, 2):
                corner = square(WEST + d + (c - 1) / 2, SOUTH + (s - 1) / 2, 0.5)
                made.append((f"{district}C0{c}S0{s}", corner))
    return Boundary.objects.bulk_create(
        Boundary(territory=country.places[code], valid_from="2014-01-01", geometry=geometry, source="test")
        for code, geometry in made
    )
