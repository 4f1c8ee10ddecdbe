"""The places of the sample country: nation, zones, subzones, districts, circuits, subcircuits, nested in one another.

Codes and names are real; the grammar of the finest code names its parents: `09D07C07S02` lies in circuit `09D07C07`
and district `09D07`. `000C0nS0n` is territory that no zone claims: counted, but without population or boundary.
"""

import csv
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"

NATION, ZONE, SUBZONE, DISTRICT, CIRCUIT, SUBCIRCUIT = range(6)
NATION_CODE = "EC"
NOT_DELIMITED_ZONE = "Z0"
NOT_DELIMITED_DISTRICT = "000"
METROPOLITAN = {"DMG": "Guayaquil Metropolitan District", "DMQ": "Quito Metropolitan District"}

SOURCE_POPULATION = "INEC, proyecciones; bajo el nivel nacional, repartidas (simulado)"
SOURCE_SIMULATED = "simulado"

POPULATION = np.dtype([("year", "i2"), ("place", "i4"), ("people", "i4")])


@dataclass(frozen=True)
class Place:
    """A territory. `latitude` and `longitude` are a rounded point inside or near it."""

    code: str
    name: str
    name_en: str
    level: int
    parent: str | None
    is_delimited: bool
    latitude: float | None = None
    longitude: float | None = None


def rows(name):
    """Rows of one of the package's own data files, as dictionaries."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def district_of(code):
    """The district that a circuit's or subcircuit's code names: its first five characters, or 000."""
    return NOT_DELIMITED_DISTRICT if code.startswith("000") else code[:5]


def circuit_of(code):
    """The circuit that a subcircuit's code names: all but its last three characters."""
    return code[:-3]


@dataclass(frozen=True)
class Nation:
    """A year of the nation: people, victims, and how many of its months and victims are real."""

    year: int
    people: int
    victims: int
    real_months: int
    real_victims: int


@dataclass(frozen=True, eq=False)
class Country:
    """All the places, parents before children, with the arrays that generators need.

    `parent` (P,) int32: position of each place's parent, -1 for the nation. `level` (P,) int8.
    """

    places: tuple[Place, ...]

    @cached_property
    def position(self) -> dict[str, int]:
        return {place.code: i for i, place in enumerate(self.places)}

    @cached_property
    def level(self) -> np.ndarray:
        return np.array([place.level for place in self.places], np.int8)

    @cached_property
    def parent(self) -> np.ndarray:
        return np.array([self.position.get(place.parent, -1) for place in self.places], np.int32)

    @cached_property
    def is_delimited(self) -> np.ndarray:
        return np.array([place.is_delimited for place in self.places])

    @cached_property
    def subcircuits(self) -> np.ndarray:
        return self.at(SUBCIRCUIT)

    def at(self, level) -> np.ndarray:
        """Positions of the places of a level, in order of code."""
        return np.flatnonzero(self.level == level)

    @cache  # noqa: B019 - the one country lives as long as the process
    def ancestor(self, level) -> np.ndarray:
        """Position of every place's ancestor (or itself) at a level, (P,) int32; -1 above that level."""
        found = np.where(self.level == level, np.arange(len(self.places)), -1).astype(np.int32)
        for i in np.flatnonzero(self.level > level):  # parents come before children
            found[i] = found[self.parent[i]]
        return found

    def roll_up(self, values) -> np.ndarray:
        """Sums of subcircuits' values for every place. (S, ...) in order of `subcircuits` -> (P, ...)."""
        values = np.asarray(values)
        out = np.zeros((len(self.places), *values.shape[1:]), values.dtype)
        for level in range(SUBCIRCUIT + 1):
            np.add.at(out, self.ancestor(level)[self.subcircuits], values)
        return out


@cache
def country() -> Country:
    """The sample country as its data files describe it."""
    nation = Place(NATION_CODE, "Ecuador", "Ecuador", NATION, None, True)
    places = (nation, *_zones(), *_subzones(), *_districts(), *_circuits(), *_subcircuits())
    return Country(_with_points(places))


def _with_points(places):
    """Places above the subcircuit stand at the mean of their subcircuits' points, to three decimals."""
    points, parents = {}, {place.code: place.parent for place in places}
    for place in places:
        if place.level == SUBCIRCUIT:
            code = place.code
            while code:
                points.setdefault(code, []).append((place.latitude, place.longitude))
                code = parents[code]
    means = {code: np.mean(found, axis=0).round(3).tolist() for code, found in points.items()}
    return tuple(replace(place, latitude=means[place.code][0], longitude=means[place.code][1]) for place in places)


def _zones():
    for n in range(1, 10):
        yield Place(f"Z{n}", f"Zona {n}", f"Zone {n}", ZONE, NATION_CODE, True)
    yield Place(NOT_DELIMITED_ZONE, "Zona no delimitada", "Not delimited", ZONE, NATION_CODE, False)


def _subzones():
    for row in rows("subzones.csv"):
        delimited = row["zone"] != NOT_DELIMITED_ZONE
        english = METROPOLITAN.get(row["code"], "" if delimited else "Not delimited")
        yield Place(row["code"], row["name"], english, SUBZONE, row["zone"], delimited)


def _districts():
    for row in rows("districts.csv"):
        delimited = row["code"] != NOT_DELIMITED_DISTRICT
        yield Place(row["code"], row["name"], "" if delimited else "Not delimited", DISTRICT, row["subzone"], delimited)


def _circuits():
    for row in rows("circuits.csv"):
        district = district_of(row["code"])
        yield Place(row["code"], row["name"], "", CIRCUIT, district, district != NOT_DELIMITED_DISTRICT)


def _subcircuits():
    circuits = {row["code"]: row["name"] for row in rows("circuits.csv")}
    for row in rows("subcircuits.csv"):
        circuit = circuit_of(row["code"])
        yield Place(
            row["code"],
            row["name"].replace("*", circuits[circuit]),
            "",
            SUBCIRCUIT,
            circuit,
            district_of(row["code"]) != NOT_DELIMITED_DISTRICT,
            float(row["latitude"]),
            float(row["longitude"]),
        )


def national(year) -> Nation:
    """The nation in a year. A year that is known in part goes on at its pace; later ones repeat the last that is known.

    Both are ours: simulated.
    """
    known = _nations()
    return known.get(year) or replace(known[max(known)], year=year, real_months=0, real_victims=0)


@cache
def _nations():
    return {int(row["year"]): _nation(row) for row in rows("nation.csv")}


def _nation(row):
    year, months, victims = int(row["year"]), int(row["months"]), int(row["victims"])
    start, end, of_next = (np.datetime64(f"{one:04d}-{month:02d}-01") for one, month in _edges(year, months))
    a_day = victims / (end - start).astype(int)
    return Nation(year, int(row["people"]), victims + round(a_day * (of_next - end).astype(int)), months, victims)


def _edges(year, months):
    return (year, 1), (year + months // 12, months % 12 + 1), (year + 1, 1)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Days [start, end) of a year, and the victims of each district in them, (D,) in the order of `districts.csv`."""

    start: np.datetime64
    end: np.datetime64
    victims: np.ndarray


def stretches(year) -> list[Stretch]:
    """A year's victims by district; in two parts where the year is real in part, so that the real total stands."""
    about = national(year)
    start, middle, end = (np.datetime64(f"{one}-{month:02d}-01") for one, month in _edges(year, about.real_months))
    parts = [(start, middle, about.real_victims), (middle, end, about.victims - about.real_victims)]
    share = _listed(year)
    return [Stretch(one, other, _apportion(total, share)) for one, other, total in parts if total]


def _listed(year):
    """Share of the year's victims by district, (D,). The lists of 2024 and 2025 lack December, later years have none:
    the nation's total is dealt out by the shares of the last list there is.
    """
    table = rows("districts.csv")
    last = max(int(name) for name in table[0] if name.isdigit())
    listed = np.array([int(row[str(min(year, last))]) for row in table], float)
    return listed / listed.sum()


def yearly_victims(years) -> tuple[list[str], np.ndarray]:
    """Victims of intentional homicide by district and year: codes (D,), totals (D, Y) int64.

    Their sum by year is the nation's total; what the districts' lists lack stands in the not-delimited row to 2023.
    """
    sums = [sum(part.victims for part in stretches(year)) for year in years]
    return [row["code"] for row in rows("districts.csv")], np.stack(sums, axis=1)


def district_share() -> dict[str, float]:
    """Share of the nation's people living in each district; cantons of several districts shared by subcircuits."""
    parts = {row["code"]: int(row["population_ppm"]) for row in rows("districts.csv")}
    total = sum(parts.values())
    return {code: part / total for code, part in parts.items()}


@cache
def subcircuit_weights(seed=1) -> np.ndarray:
    """Share of the nation's people in each subcircuit, (S,) adding up to 1: the district's share, split unevenly."""
    rng = np.random.default_rng([seed, 7])
    land = country()
    district = land.ancestor(DISTRICT)[land.subcircuits]
    raw = rng.lognormal(0.0, 0.45, len(land.subcircuits))
    within = raw / np.bincount(district, raw)[district]
    shares = district_share()
    weights = within * np.array([shares[land.places[d].code] for d in district])
    return weights / weights.sum()


def population(years, seed=1) -> np.ndarray:
    """People by year and place, structured POPULATION: every level adds up to the nation's projection exactly.

    Places that are not delimited have no rows: without people there is no rate.
    """
    land = country()
    weights = subcircuit_weights(seed)
    people = np.stack([_apportion(national(year).people, weights) for year in years], axis=1)
    table = land.roll_up(people)  # (P, Y)
    place, year = np.nonzero(land.is_delimited[:, None] & np.ones(len(years), bool))
    out = np.empty(len(place), POPULATION)
    out["year"], out["place"], out["people"] = np.array(years)[year], place, table[place, year]
    return out


def _apportion(total, weights):
    """Whole numbers in proportion to weights that add up to the total exactly (largest remainder)."""
    exact = total * weights
    whole = np.floor(exact).astype(np.int64)
    short = total - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return whole
