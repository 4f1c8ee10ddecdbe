"""Cells as files write them."""

from datetime import date, datetime, time, timedelta

import pytest

from incidents.cells import read_code, read_date, read_number, read_time


@pytest.mark.parametrize(
    ("cell", "day", "mended"),
    [
        (date(2023, 5, 17), date(2023, 5, 17), None),
        (datetime(2023, 5, 17, 21, 0), date(2023, 5, 17), None),  # noqa: DTZ001 - as a workbook gives it
        ("2023-05-17", date(2023, 5, 17), None),
        ("2023-05-17 00:00:00", date(2023, 5, 17), None),
        ("2023-05-17T21:30:00Z", date(2023, 5, 17), None),
        ("17/05/2023", date(2023, 5, 17), None),
        (" 7-5-2023 ", date(2023, 5, 7), None),
        ("03/07/2023", date(2023, 7, 3), None),  # the day first, always
        (45063.0, date(2023, 5, 17), "date_serial"),
        ("45063", date(2023, 5, 17), "date_serial"),
        (45063.9, date(2023, 5, 17), "date_serial"),
    ],
)
def test_a_day_is_read_however_it_is_written(cell, day, mended):
    assert read_date(cell) == (day, mended)


@pytest.mark.parametrize(
    "cell", ["05/17/2023", "31/02/2023", "2023", 2023.0, "17/05/23", "ayer", "", 1e308, float("nan")]
)
def test_what_is_no_day_is_not_guessed(cell):
    with pytest.raises((ValueError, OverflowError)):
        read_date(cell)


@pytest.mark.parametrize(
    ("cell", "seconds", "mended"),
    [
        (time(21, 30), 77_400, None),
        ("21:30", 77_400, None),
        ("9:05", 32_700, None),
        ("21:30:15", 77_415, None),
        ("21h30", 77_400, None),
        ("9:30 PM", 77_400, None),
        ("12:10 a.m.", 600, None),
        (timedelta(hours=21, minutes=30), 77_400, None),
        (0.895833333333333, 77_400, "time_fraction"),
        (0.0, 0, "time_fraction"),
    ],
)
def test_a_time_is_read_however_it_is_written(cell, seconds, mended):
    assert read_time(cell) == (seconds, mended)


@pytest.mark.parametrize("cell", ["25:00", "12:60", "24:00", "13:00 PM", "noche", "2130", -0.5, timedelta(days=2)])
def test_what_is_no_time_is_refused(cell):
    with pytest.raises(ValueError, match=r".*"):
        read_time(cell)


@pytest.mark.parametrize(
    ("cell", "number"), [("-79,97467", -79.97467), ("-2.5", -2.5), (3, 3.0), ("1e-3", 0.001), (",5", 0.5)]
)
def test_a_number_has_a_decimal_point_or_comma(cell, number):
    assert read_number(cell)[0] == number


@pytest.mark.parametrize("cell", ["1.234,5", "2°12'S", "12 S", "", "inf", "nan", True])
def test_what_is_no_number_is_refused(cell):
    with pytest.raises(ValueError, match=r".*"):
        read_number(cell)


@pytest.mark.parametrize(("cell", "code"), [("0901", 901), (901.0, 901), ("901", 901), ("9004", 9004)])
def test_a_code_is_the_same_as_text_and_as_number(cell, code):
    assert read_code(cell) == (code, None)


@pytest.mark.parametrize("cell", ["05D02", 901.5, 0, -3, "40000"])
def test_what_is_no_code_is_refused(cell):
    with pytest.raises(ValueError, match=r".*"):
        read_code(cell)
