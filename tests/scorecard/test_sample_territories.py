"""The sample's places are the real ones: codes, nesting, totals and people add up at every level."""

import re
from collections import Counter

import numpy as np
import pytest

from scorecard.sample.territories import (
    CIRCUIT,
    DATA,
    DISTRICT,
    NATION_CODE,
    NOT_DELIMITED_ZONE,
    SUBCIRCUIT,
    SUBZONE,
    ZONE,
    country,
    national,
    population,
    yearly_victims,
)

YEARS = tuple(range(2014, 2028))
DISTRICTS_BY_ZONE = {f"Z{n}": count for n, count in enumerate((16, 8, 19, 15, 25, 17, 19, 12, 9), start=1)}
VICTIMS = (1310, 1050, 959, 970, 996, 1189, 1372, 2495, 4886, 8248, 7063, 9281, 8450, 8450)


def delimited(level):
    return [place for place in country().places if place.level == level and place.is_delimited]


def test_there_are_nine_zones_26_subzones_and_140_districts():
    assert [len(delimited(level)) for level in (ZONE, SUBZONE, DISTRICT)] == [9, 26, 140]


def test_each_zone_has_its_districts():
    here = country()
    zone = here.ancestor(ZONE)
    counted = Counter(here.places[zone[here.position[place.code]]].code for place in delimited(DISTRICT))
    assert counted == DISTRICTS_BY_ZONE


def test_codes_follow_the_grammar_and_name_their_parents():
    for place in country().places:
        if place.level == SUBCIRCUIT:
            assert re.fullmatch(r"(\d\dD\d\d|000)C\d\dS\d\d", place.code), place
            assert place.parent == place.code[:-3]
        if place.level == CIRCUIT:
            assert place.parent == ("000" if place.code.startswith("000") else place.code[:5])


def test_codes_are_unique_and_parents_come_first():
    here = country()
    assert len(here.position) == len(here.places)
    assert (here.parent[1:] < np.arange(1, len(here.places))).all()
    assert (here.level[1:] == here.level[here.parent[1:]] + 1).all()


def test_not_delimited_territory_hangs_under_its_own_zone():
    loose = [place for place in country().places if not place.is_delimited]
    assert {place.code for place in loose if place.level == ZONE} == {NOT_DELIMITED_ZONE}
    assert "000C01S01" in {place.code for place in loose}


def test_victims_by_district_add_up_to_the_published_totals():
    codes, totals = yearly_victims(YEARS)
    assert len(codes) == 141
    assert tuple(totals.sum(axis=0)) == VICTIMS == tuple(national(year).victims for year in YEARS)
    assert totals.min() >= 0


def test_people_add_up_to_the_nation_at_every_level():
    here, rows = country(), population(YEARS)
    for level in (ZONE, SUBZONE, DISTRICT, CIRCUIT, SUBCIRCUIT):
        at_level = rows[here.level[rows["place"]] == level]
        sums = [at_level["people"][at_level["year"] == year].sum() for year in YEARS]
        assert sums == [national(year).people for year in YEARS]


def test_not_delimited_territory_has_no_people_and_all_other_districts_do():
    here, rows = country(), population(YEARS)
    with_people = set(rows["place"][rows["people"] > 0].tolist())
    assert {here.places[i].is_delimited for i in with_people} == {True}
    assert {here.position[place.code] for place in delimited(DISTRICT)} <= with_people


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.name)
def test_data_files_stay_small(path):
    assert path.stat().st_size < 300_000


def test_names_are_written_in_spanish():
    names = {place.code: place.name for place in country().places}
    assert names["09D08"] == "Nueva Prosperina"
    assert names["SZ23"] == "Santo Domingo de los Tsáchilas"
    assert names["09D24"] == "Durán"
    assert names[NATION_CODE] == "Ecuador"
