"""A year that its publisher revises, as the Ministry does, in small: rows carry no identifier, and are told one by one.

12 are added, 1 is removed, 7 are reclassified, 9 moved to another subcircuit and 4 redated by a day; the file comes
with its rows in another order, two columns changed about, a byte-order mark and decimal commas.
"""

import random
from collections import Counter
from datetime import date, time, timedelta

import pytest

from incidents.models import Category, EventRule, Incident, IncidentPast
from indicators.models import Measurement, StaleMark
from tests.incidents.files import HEADER, row, write_csv

PLACES = [f"09D0{d}C0{c}S0{s}" for d in (1, 2) for c in (1, 2) for s in (1, 2)]
OTHER_ORDER = [*HEADER[1::-1], *HEADER[2:]]
N = 150
# Rows by what the revision does to them; 60 and 90 are the last of their months.
GONE, RECLASSIFIED, MOVED, REDATED = 3, range(10, 17), range(30, 39), (50, 60, 70, 90)


def victim(rng, n):
    """Row n of the year. Its longitude is its own, and so tells it apart in what was stored."""
    return row(
        codigo_subcircuito=PLACES[n % len(PLACES)],
        coordenada_x=round(-79.9 + n / 1000, 3),
        fecha_infraccion=date(2023, 1 + n % 12, rng.randint(2, 27)),
        hora_infraccion=time(rng.randint(0, 23), rng.randint(0, 59)),
        edad=rng.randint(15, 70),
        sexo=rng.choice(["HOMBRE", "MUJER"]),
        arma=rng.choice(["ARMA DE FUEGO", "ARMA BLANCA"]),
        profesion_registro_civil=f"P{n}",
    )


def month_ends(said):
    return {**said, "fecha_infraccion": date(2023, said["fecha_infraccion"].month + 1, 1) - timedelta(days=1)}


def revise(rng, year):
    """The year as it is published next, in another order, and the numbers of its new rows there."""
    new = {n: dict(said) for n, said in enumerate(year) if n != GONE}
    for n in RECLASSIFIED:
        new[n]["tipo_muerte"] = "SICARIATO"
    for n in MOVED:
        new[n]["codigo_subcircuito"] = PLACES[(n + 1 + n % 6) % len(PLACES)]
    for n in REDATED:
        new[n]["fecha_infraccion"] += timedelta(days=1)
    new |= {n: victim(rng, n) for n in range(N, N + 12)}
    order = list(new)
    rng.shuffle(order)
    return [new[n] for n in order], {2 + at for at, n in enumerate(order) if n >= N}


@pytest.fixture
def published(country, take, tmp_path):
    """The year, taken; its revision's path, its rows and which of them are new."""
    EventRule.objects.filter(indicator=country.rate).update(category=Category.objects.get(code="HOMICIDE.CONTRACT"))
    rng = random.Random(2023)
    year = [victim(rng, n) for n in range(N)]
    for n in (60, 90):
        year[n] = month_ends(year[n])
    take(year)
    rows, added = revise(rng, year)
    path = write_csv(tmp_path / "revised.csv", rows, header=OTHER_ORDER, encoding="utf-8-sig")
    return year, path, rows, added


def stored():
    """Ids of the incidents by the number of their row."""
    return {round((x + 79.9) * 1000): pk for pk, x in Incident.objects.values_list("id", "longitude")}


def figures():
    rows = Measurement.objects.values_list("indicator__code", "month", "unit__code", "numerator")
    return {tuple(key): n for *key, n in rows}


def counted(rows):
    """What the two indicators must say of a file's rows, zeros left out."""
    found = Counter()
    for said in rows:
        at = said["fecha_infraccion"].replace(day=1), f"PN.{said['codigo_subcircuito'][:5]}"
        found["PN.HOMICIDES", *at] += 1
        found["PN.HOMICIDE.RATE", *at] += said["tipo_muerte"] == "SICARIATO"
    return +found


def test_exactly_what_was_revised_is_listed_with_old_and_new(published, take):
    year, path, rows, added = published
    ids = stored()
    told = take(path).report["revised"]
    assert told["labels"] == {"reclassified": 7, "moved": 9, "redated": 4}
    assert told["counts"] == {"added": 12, "removed": 1, "changed": 20}
    changes = {change["id"]: change["facts"] for change in told["changed"]}
    assert changes.keys() == {ids[n] for n in (*RECLASSIFIED, *MOVED, *REDATED)}
    assert all(changes[ids[n]] == {"category": ["HOMICIDE.MURDER", "HOMICIDE.CONTRACT"]} for n in RECLASSIFIED)
    for n in MOVED:
        assert changes[ids[n]].keys() == {"where"}
        was, says = (side["place"] for side in changes[ids[n]]["where"])
        assert (was, says) == (year[n]["codigo_subcircuito"], PLACES[(n + 1 + n % 6) % len(PLACES)])
    for n in REDATED:
        day = year[n]["fecha_infraccion"]
        assert changes[ids[n]] == {"date": [f"{day}", f"{day + timedelta(days=1)}"]}
    assert [gone["id"] for gone in told["removed"]] == [ids[GONE]]
    assert {new["row"] for new in told["added"]} == added
    assert IncidentPast.objects.count() == 21
    assert Incident.objects.count() == len(rows) == N + 11


def test_each_month_touched_is_recounted_and_marked_and_no_other(published, take):
    year, path, rows, _added = published
    before = figures()
    assert {key: n for key, n in before.items() if n} == counted(year)
    StaleMark.objects.all().delete()
    take(path)
    after = figures()
    assert {key: n for key, n in after.items() if n} == counted(rows)
    moved = {key[:2] for key in after if after[key] != before.get(key)}
    assert set(StaleMark.objects.values_list("indicator__code", "month")) == moved
    assert len(moved) > 12


def test_the_revision_again_changes_nothing(published, take):
    take(published[1])
    before = figures(), stored(), IncidentPast.objects.count(), StaleMark.objects.count()
    again = take(published[1])
    assert again.report["outcome"] == {"unchanged": N + 11, "added": 0, "changed": 0, "removed": 0}
    assert (figures(), stored(), IncidentPast.objects.count(), StaleMark.objects.count()) == before
