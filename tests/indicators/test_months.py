"""A month is its first day."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import months

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_month_is_its_first_day():
    assert months.month_of(date(2023, 5, 17)) == date(2023, 5, 1)
    assert months.parse_month("2023-05") == months.parse_month(" 2023-5 ") == months.parse_month("2023-05-17")
    assert months.format_month(date(2023, 5, 1)) == "2023-05"


@pytest.mark.parametrize("text", ["", "2023", "2023-13", "2023-02-30", "05-2023", "2023/05", "2023-05-1x"])
def test_what_is_no_month_is_refused_with_the_text(text):
    with pytest.raises(ValueError, match="is not a month"):
        months.parse_month(text)


@given(day=days, count=st.integers(-500, 500))
def test_adding_months_and_counting_them_are_inverse(day, count):
    month = months.month_of(day)
    later = months.add_months(month, count)
    assert later.day == 1
    assert months.months_between(month, later) == count
    assert months.add_months(later, -count) == month


def test_months_before_and_after_the_turn_of_the_year():
    assert months.add_months(date(2023, 12, 1), 1) == date(2024, 1, 1)
    assert months.add_months(date(2023, 1, 1), -1) == date(2022, 12, 1)
    assert months.same_month_last_year(date(2024, 2, 1)) == date(2023, 2, 1)
    assert months.last_months(date(2023, 2, 1), 3) == [date(2022, 12, 1), date(2023, 1, 1), date(2023, 2, 1)]


def test_range_holds_both_ends():
    assert list(months.month_range(date(2022, 12, 1), date(2023, 1, 31))) == [date(2022, 12, 1), date(2023, 1, 1)]
    assert list(months.month_range(date(2023, 2, 1), date(2023, 1, 1))) == []
    assert len(months.months_of_year(2023)) == 12


def test_whole_days_elapsed_of_the_running_month():
    april = date(2023, 4, 1)
    assert months.days_elapsed(april, date(2023, 4, 11)) == 10
    assert months.elapsed_share(april, date(2023, 4, 11)) == pytest.approx(1 / 3)
    assert months.days_elapsed(april, april) == months.days_elapsed(april, date(2023, 3, 9)) == 0
    assert months.days_elapsed(april, date(2023, 4, 30)) == 29
    assert months.elapsed_share(april, date(2023, 5, 1)) == months.elapsed_share(april, None) == 1.0


def test_length_of_february():
    assert months.days_in_month(date(2024, 2, 1)) == 29
    assert months.last_day(date(2023, 2, 1)) == date(2023, 2, 28)
    assert months.entry_due_on(date(2023, 2, 1)) == date(2023, 3, 5)


def test_measurement_months_close_their_period():
    assert months.measurement_months(12) == tuple(range(1, 13))
    assert months.measurement_months(4) == (3, 6, 9, 12)
    assert months.measurement_months(2) == (6, 12)
    assert months.measurement_months(1) == (12,)
    assert months.is_measured(date(2023, 6, 1), 4)
    assert not months.is_measured(date(2023, 5, 1), 4)
    with pytest.raises(ValueError, match="1, 2, 4 or 12"):
        months.measurement_months(3)
