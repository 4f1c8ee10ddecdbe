"""Windows whose events are known differently are not compared without a warning."""

from datetime import date

from incidents.hotspots.coverage import difference, parts, unevenness, window

JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))


def test_a_window_sums_its_own_months():
    rows = [(JANUARY, 1, 10, 8), (FEBRUARY, 1, 20, 20), (FEBRUARY, 2, 5, 0), (MARCH, 1, 99, 99)]
    found = window(rows, [JANUARY, FEBRUARY])
    assert (found.events, found.located, found.sources, found.empty) == (35, 28, {1: 30, 2: 5}, ())
    assert found.missing_share == 1 - 28 / 35


def test_a_month_without_events_is_told_where_there_usually_are_some():
    assert window([(JANUARY, 1, 50, 50), (MARCH, 1, 50, 50)], [JANUARY, FEBRUARY, MARCH]).empty == (FEBRUARY,)
    assert window([(JANUARY, 1, 2, 2), (MARCH, 1, 3, 3)], [JANUARY, FEBRUARY, MARCH]).empty == ()


def test_shares_without_a_point_differ_where_it_is_much_and_not_chance():
    many = window([(JANUARY, 1, 1000, 980)], [JANUARY])
    fewer = window([(JANUARY, 1, 1000, 700)], [JANUARY])
    assert [round(share, 3) for share in difference(many, fewer).missing] == [0.02, 0.3]
    assert not difference(many, many)
    few = window([(JANUARY, 1, 10, 10)], [JANUARY]), window([(JANUARY, 1, 10, 9)], [JANUARY])
    assert difference(*few).missing is None


def test_sources_that_fell_silent_or_are_new_are_told():
    both = window([(JANUARY, 1, 90, 90), (JANUARY, 2, 10, 10)], [JANUARY])
    one = window([(JANUARY, 1, 100, 100)], [JANUARY])
    assert (difference(one, both).silent, difference(one, both).new) == ([2], [])
    assert (difference(both, one).silent, difference(both, one).new) == ([], [2])
    little = window([(JANUARY, 1, 990, 990), (JANUARY, 2, 10, 10)], [JANUARY])
    assert not difference(one, little)


def test_with_nothing_there_is_nothing_to_compare():
    empty = window([], [JANUARY])
    assert empty.missing_share == 0
    assert not difference(empty, window([(JANUARY, 1, 5, 0)], [JANUARY]))


# Within one window


def months_of(first, last):
    return [date(year, month, 1) for year in range(first, last + 1) for month in range(1, 13)]


def test_a_long_window_is_held_by_years_a_short_one_by_quarters_or_months_and_an_emerging_one_by_its_slices():
    assert [len(group) for group in parts(months_of(2014, 2023))] == [12] * 10
    assert [group[0].month for group in parts(months_of(2023, 2023))] == [1, 4, 7, 10]
    assert parts([JANUARY, FEBRUARY]) == [[JANUARY], [FEBRUARY]]
    halves = parts(months_of(2022, 2023), [date(2022, 7, 1), date(2023, 1, 1), date(2023, 7, 1)])
    assert [(group[0], len(group)) for group in halves] == [
        (date(2022, 7, 1), 6), (date(2023, 1, 1), 6), (date(2023, 7, 1), 6)
    ]  # fmt: skip


def test_a_window_of_years_with_different_coverage_says_which():
    shares = {2014: 0, 2018: 61, 2022: 94}  # percent without a point, as the Ministry's file has them
    rows = [(month, 1, 100, 100 - shares.get(month.year, 0)) for month in months_of(2014, 2023)]
    low, high = unevenness(rows, parts(months_of(2014, 2023))).ends
    assert (low.missing_share, high.missing_share, high.first) == (0, 0.94, date(2022, 1, 1))
    assert high.last == date(2022, 12, 1)


def test_years_that_are_alike_or_differ_by_chance_alone_say_nothing():
    alike = [(month, 1, 100, 90) for month in months_of(2014, 2023)]
    assert not unevenness(alike, parts(months_of(2014, 2023))).ends
    few = [(month, 1, 2, 2 - month.month % 2 * (month.year == 2015)) for month in months_of(2014, 2015)]
    assert unevenness(few, parts(months_of(2014, 2015))).ends, "a quarter of 24, and none of 24"
    by_chance = [(month, 1, 20, 18 - (month.month == 4)) for month in months_of(2023, 2023)]
    assert not unevenness(by_chance, parts(months_of(2023, 2023))).ends


def test_feeds_that_begin_or_end_within_a_window_are_told_with_their_months():
    months = months_of(2022, 2023)
    rows = [(month, 1, 50, 50) for month in months]
    rows += [(month, 2, 20, 20) for month in months if month >= date(2022, 9, 1)]
    rows += [(month, 3, 20, 20) for month in months if month <= date(2023, 4, 1)]
    rows += [(months[5], 4, 3, 3)]  # too few to be missed
    found = unevenness(rows, parts(months))
    assert found.began == {2: date(2022, 9, 1)}
    assert found.ended == {3: date(2023, 4, 1)}
    assert not found.ends
