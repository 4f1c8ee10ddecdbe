"""Windows whose events are known differently are not compared without a warning."""

from datetime import date

from incidents.hotspots.coverage import difference, window

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
