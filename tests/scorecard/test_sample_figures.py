"""The sample's figures: real where they are said to be, elsewhere simulated from a seed, complete up to now."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scorecard.sample import figures, homicides, recent, years
from scorecard.sample.institutions import CIRCUIT_CODE, positions, units
from scorecard.sample.sheets import POSITION, SHEETS
from scorecard.sample.territories import DISTRICT, country, national, yearly_victims

HERE = ZoneInfo("America/Guayaquil")
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=HERE)
YEARS = tuple(range(2017, 2027))
RUNNING, SINCE = np.datetime64("2026-11-01"), np.datetime64("2026-09-01")


@pytest.fixture(scope="module")
def sample():
    return figures.build(NOW)


def rows_of(rows, code):
    return rows[rows["indicator"] == POSITION[code]]


def year(dates):
    return dates.astype("M8[Y]").astype(int) + 1970


def test_victims_by_district_and_year_are_the_real_totals(sample):
    here = country()
    district = here.ancestor(DISTRICT)[sample.victims["place"]]
    codes, totals = yearly_victims(YEARS[:-1])
    for code, expected in zip(codes, totals, strict=True):
        found = sample.victims[district == here.position[code]]
        assert [(year(found["date"]) == one).sum() for one in YEARS[:-1]] == expected.tolist(), code


def test_a_year_known_in_part_has_its_real_total_and_goes_on_at_its_pace(sample):
    of_2026 = sample.victims["date"][year(sample.victims["date"]) == 2026]
    assert (of_2026 < np.datetime64("2026-05-01")).sum() == 2778
    assert national(2026).victims == 8450
    expected = 2778 + (8450 - 2778) * (np.datetime64("2026-11-24") - np.datetime64("2026-05-01")).astype(int) / 245
    assert len(of_2026) == pytest.approx(expected, rel=0.05)


def test_what_no_zone_claims_has_the_victims_that_the_districts_lists_lack(sample):
    before = sample.victims[year(sample.victims["date"]) < 2024]
    assert (~country().is_delimited[before["place"]]).sum() == 185


def test_five_in_a_hundred_subcircuits_hold_about_27_in_a_hundred_victims(sample):
    by_place = np.sort(homicides.monthly(sample.victims, YEARS).sum(axis=0))[::-1]
    top = round(len(by_place) * 0.05)
    assert by_place[:top].sum() / by_place.sum() == pytest.approx(0.276, abs=0.03)


def test_victims_come_by_night_and_at_weekends_and_grow_through_2021(sample):
    hour = sample.victims["hour"]
    assert ((hour >= 18) | (hour < 2)).sum() > 0.4 * len(hour)
    weekday = (sample.victims["date"].astype(int) + 3) % 7
    assert (weekday >= 5).mean() > 2 / 7 + 0.05
    month = homicides.monthly(sample.victims, YEARS).sum(axis=1).reshape(len(YEARS), 12)
    at = YEARS.index(2021)
    assert month[at, 6:].sum() > 1.2 * month[at, :6].sum()


def test_femicides_are_of_women_and_codes_are_in_range(sample):
    found = sample.victims
    assert set(found["sex"][found["kind"] == homicides.KINDS.index("FEMICIDIO")]) == {homicides.SEXES.index("MUJER")}
    for field, names in (
        ("kind", homicides.KINDS),
        ("weapon", homicides.WEAPONS),
        ("motive", homicides.MOTIVES),
        ("sex", homicides.SEXES),
        ("area", homicides.AREAS),
        ("setting", homicides.SETTINGS),
    ):
        assert set(found[field].tolist()) <= set(range(len(names)))
    assert found["age"].min() == -1
    assert 28 <= np.median(found["age"]) <= 32


def test_points_lie_in_the_country_at_their_true_longitude(sample):
    longitude, latitude = sample.victims["longitude"], sample.victims["latitude"]
    known = ~np.isnan(longitude)
    assert 0.95 < known.mean() < 1
    assert ((latitude[known] > -5.1) & (latitude[known] < 1.5)).all()
    islands = np.array([country().places[place].code.startswith("20") for place in sample.victims["place"]])
    assert (longitude[known & islands] < -89).all()
    assert (longitude[known & ~islands] > -81.1).all()


def test_homicide_figures_are_the_counts_of_the_victims_without_gaps(sample):
    counted = rows_of(sample.measurements, "PN.HOMICIDES")
    before = (sample.victims["date"] < SINCE).sum()
    assert counted["numerator"].sum() == before
    assert len(counted) == (120 - 4) * len(country().subcircuits)
    assert rows_of(sample.measurements, "PN.HOMICIDERATE")["numerator"].sum() == before


def test_nothing_lies_in_the_future_and_targets_reach_to_the_end_of_the_year(sample):
    assert sample.measurements["month"].max() == RUNNING
    assert sample.victims["date"].max() <= np.datetime64("2026-11-24")
    assert sample.events["at"].max() <= np.datetime64("2026-11-24T10:30")
    for stage in recent.STAGES:
        assert np.nanmax(sample.events[stage]) <= np.datetime64("2026-11-24T10:30")
    assert (sample.targets["month"].min(), sample.targets["month"].max()) == (
        np.datetime64("2017-01-01"), np.datetime64("2026-12-01")
    )  # fmt: skip


def test_a_running_month_holds_the_part_of_its_days_that_is_over(sample):
    before, now = (rows_of(sample.measurements, "PN.WANTED") for _ in range(2))
    before, now = before[before["month"] == np.datetime64("2026-10-01")], now[now["month"] == RUNNING]
    both = np.intersect1d(before["unit"], now["unit"])
    sums = [rows["numerator"][np.isin(rows["unit"], both)].sum() for rows in (before, now)]
    assert sums[1] / sums[0] == pytest.approx(23.44 / 30, abs=0.08)


def test_the_figures_of_a_year_that_is_over_do_not_depend_on_the_day_of_the_load(sample):
    later = figures.build(datetime(2028, 2, 3, 4, 5, tzinfo=HERE))
    for name in ("measurements", "targets"):
        some, others = ((rows["month"].astype("M8[Y]"), rows) for rows in (getattr(sample, name), getattr(later, name)))
        common = [rows[(at >= np.datetime64("2019")) & (at < np.datetime64("2026"))] for at, rows in (some, others)]
        assert common[0].tobytes() == common[1].tobytes(), name
    assert years.years_to(NOW)[-1] == 2026
    assert national(2028).people == national(2026).people  # nothing later is known: repeated


def test_the_last_figures_of_counted_indicators_are_left_to_the_counting(sample):
    assert recent.since(NOW) == SINCE
    for code in recent.COUNTED:
        assert rows_of(sample.measurements, code)["month"].max() == np.datetime64("2026-08-01"), code


def test_robberies_that_feeds_brought_are_those_of_the_figures(sample):
    """October is whole: as many events in each subcircuit as the cube has, the nation's year being exact."""
    cube = figures.by_code(figures.complete(sample.victims[:0], years.years_to(NOW)))["PN.ROBBERY.CARS"]
    found = sample.events[sample.events["category"] == recent.CATEGORIES.index("ROBBERY.CARS")]
    found = found["place"][found["at"].astype("M8[M]") == np.datetime64("2026-10")]
    at = np.flatnonzero(years.months(years.years_to(NOW)) == np.datetime64("2026-10-01"))[0]
    assert np.bincount(found, minlength=len(country().places))[country().subcircuits].tolist() == (
        cube.numerator[at].tolist()
    )


def test_emergencies_come_with_the_stages_of_their_answer_in_order_and_some_missing(sample):
    found = sample.events[sample.events["category"] < len(recent.SERVICES)]
    assert 50_000 < len(found) < 70_000
    assert (found["at"].min() - np.datetime64("2026-08-25")).astype(int) >= 0
    for first, then in (("received", "answered"), ("answered", "dispatched"), ("dispatched", "arrived")):
        both = ~np.isnat(found[first]) & ~np.isnat(found[then])
        assert (found[first][both] <= found[then][both]).all()
    real = found[found["alert_class"] == 1]
    assert 0.08 < np.isnat(real["arrived"]).mean() < 0.16
    assert np.isnat(found["dispatched"][found["alert_class"] != 1]).all()
    minutes = (real["arrived"] - real["received"]).astype(float)[~np.isnat(real["arrived"])] / 60
    assert 10 < np.median(minutes) < 16 < 20 < np.percentile(minutes, 90) < 32
    assert set(found["service"].tolist()) == set(range(1, 8))
    hour = found["at"].astype("M8[h]").astype(int) % 24
    assert (hour == 19).sum() > 1.8 * (hour == 5).sum()


def test_keys_are_unique_and_in_order(sample):
    for rows in (sample.measurements, sample.targets):
        key = (rows["month"].astype(np.int64) * 100 + rows["indicator"]) * 10_000 + rows["unit"]
        assert (np.diff(key) > 0).all()


def test_figures_come_from_assigned_units_in_months_when_they_are_due(sample):
    assigned = {(row["indicator"], row["unit"]): row["from_month"] for row in sample.assignments}
    pairs = np.unique(sample.measurements[["indicator", "unit"]])
    assert all((pair["indicator"], pair["unit"]) in assigned for pair in pairs)
    quarterly = rows_of(sample.measurements, "MDI.UPC")["month"].astype("M8[M]").astype(int) % 12 + 1
    assert set(quarterly.tolist()) == {3, 6, 9, 12}
    whole = figures.measured(SHEETS[POSITION["CJ.EVIDENCE"]], years.years_to(NOW))
    assert np.flatnonzero(whole)[0] == 24


def test_two_or_three_in_a_hundred_figures_were_never_sent(sample):
    before = sample.measurements[sample.measurements["month"] < SINCE]
    for sheet in SHEETS:
        if sheet.code.startswith("PN.HOMICIDE"):
            continue
        found = rows_of(before, sheet.code)
        due = figures.measured(sheet, YEARS)[:-4].sum() * len(rows_of(sample.assignments, sheet.code))
        if due > 500:
            assert 0.01 < 1 - len(found) / due < 0.05, sheet.code


def test_the_running_month_is_due_for_the_commander_and_entered_by_most_others(sample):
    last = sample.measurements[sample.measurements["month"] == RUNNING]
    own = last[last["unit"] == positions()[f"PN-{CIRCUIT_CODE}"]]
    assert not len(own)
    entered = rows_of(last, "PN.MEETINGS")
    assert 0.7 < len(entered) / 1041 < 0.9
    assert entered["is_provisional"].all()


def test_shares_are_of_whole_and_numerators_do_not_exceed_denominators(sample):
    for sheet in SHEETS:
        if sheet.scale == 100 and sheet.code != "MDI.BUDGET":
            found = rows_of(sample.measurements, sheet.code)
            assert (found["numerator"] <= found["denominator"]).all(), sheet.code
            assert (found["denominator"] > 0).all(), sheet.code


def test_not_applicable_carries_no_number(sample):
    absent = sample.measurements[sample.measurements["state"] == figures.IS_NOT_APPLICABLE]
    assert len(absent)
    assert np.isnan(absent["numerator"]).all()
    assert not np.isnan(sample.measurements["numerator"][sample.measurements["state"] == figures.IS_FIGURE]).any()


def test_every_unit_of_an_indicators_tree_has_targets_and_baselines(sample):
    for sheet in SHEETS:
        goals = rows_of(sample.targets, sheet.code)
        assert not np.isnan(goals["baseline"]).any(), sheet.code
        if sheet.code == "MDI.BUDGET":
            assert (goals["low"] < goals["high"]).all()
        else:
            assert not np.isnan(goals["value"]).any(), sheet.code
            assert (goals["value"] > 0).all(), sheet.code
        assert positions()[f"{sheet.institution}-EC"] in set(goals["unit"].tolist())
        due = set(rows_of(sample.assignments, sheet.code)["unit"].tolist())
        if sheet.code == "PN.HOMICIDERATE":
            due.discard(positions()["PN-000"])
        assert due <= set(goals["unit"].tolist()), sheet.code


@pytest.mark.parametrize("code", ["PN.HOMICIDES", "PN.ROBBERY.HOMES", "PN.MEETINGS", "PN.GANGS"])
def test_a_parents_target_of_a_count_is_the_sum_of_its_childrens(sample, code):
    goals = rows_of(sample.targets, code)
    goals = goals[goals["month"] == np.datetime64("2019-05-01")]
    value = dict(zip(goals["unit"].tolist(), goals["value"].tolist(), strict=True))
    for unit in (positions()["PN-EC"], positions()["PN-Z8"], positions()["PN-DMG"]):
        children = [i for i in value if units()[i].parent == units()[unit].code]
        assert value[unit] == pytest.approx(sum(value[i] for i in children), abs=0.006)


def test_targets_come_from_the_year_before_by_the_stated_rule(sample):
    goals = rows_of(sample.targets, "PN.ROBBERY.PERSONS")
    nation = goals[(goals["unit"] == positions()["PN-EC"]) & (year(goals["month"]) == 2019)]
    assert nation["value"].sum() == pytest.approx(0.95 * 29_900, rel=0.01)


def test_lights_of_districts_are_mixed_and_homicides_redder_from_2021(sample):
    counted, goals = (rows_of(rows, "PN.HOMICIDES") for rows in (sample.measurements, sample.targets))
    here = country()
    district = here.ancestor(DISTRICT)

    def red(of):
        victims = np.zeros(len(here.places))
        rows = counted[year(counted["month"]) == of]
        places = np.array([here.position[units()[unit].place] for unit in rows["unit"]])
        np.add.at(victims, district[places], rows["numerator"])
        promised = np.zeros(len(here.places))
        rows = goals[year(goals["month"]) == of]
        np.add.at(promised, [here.position[units()[unit].place] for unit in rows["unit"]], rows["value"])
        at = here.at(DISTRICT)
        return (victims[at] > 1.15 * promised[at]).mean()

    assert 0.1 < red(2018) < red(2022) < 0.9


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(sample):
    def digest(one):
        parts = (one.victims, one.events, one.measurements, one.targets, one.assignments)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

    assert digest(figures.build(NOW)) == digest(sample)
    assert digest(figures.build(NOW, seed=2)) != digest(sample)


def test_confinement_is_seen_in_2020_alone():
    level = years.confinement(YEARS).reshape(len(YEARS), 12)
    assert [one for one, row in zip(YEARS, level, strict=True) if row.min() < 1] == [2020]
