"""The tables of a profile, on screen and as files: cells of 1 to 4 are told as "<5" in both."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from incidents.behind import AGES
from incidents.profile import LEVEL, SMALL, Compared, is_small, odds_ratio
from scorecard import wording
from scorecard.hotspots import words
from scorecard.hotspots.words import WEEKDAYS
from scorecard.hotspots.words import place as place_words
from scorecard.profile import summary
from scorecard.profile.reading import Profile
from units.tables import Column, Table

SHOWN = 40  # rows of what was compared, on the page; all in the file
PAIRS = 10  # of series, on the page; all in the file
ROWS, COLUMNS = 8, 6  # of a crossing; the rest is summed


class Row(NamedTuple):
    id: str
    variable: str
    value: str
    share: str
    share0: str
    ratio: str
    interval: str
    q: str
    is_different: bool


def rows(found: Profile) -> list[Row]:
    """What was compared, as the page shows it: those that differ first."""
    return [_row(found, n, one) for n, one in enumerate(found.compared[:SHOWN])]


def _row(found: Profile, n: int, one: Compared) -> Row:
    ratio = wording.number(one.ratio, 2)
    return Row(
        f"f{n}",
        summary.field_name(found, one.field),
        summary.value_name(found, one.field, one.value),
        f"{wording.percent(100 * one.n / one.stated, 1)} ({wording.number(one.n, 0)})",
        f"{wording.percent(100 * one.n0 / one.stated0, 1)} ({wording.number(one.n0, 0)})",
        ratio,
        f"{wording.number(one.low, 2)}–{wording.number(one.high, 2)}",
        _("< 0.001") if one.q < 0.001 else wording.number(one.q, 3),
        one.is_different,
    )


def compared(found: Profile) -> Table:
    columns = [
        Column("variable", _("Variable")),
        Column("value", _("Value of it")),
        Column("n", _("Here"), "number", 0),
        Column("stated", _("Stated here"), "number", 0),
        Column("n0", _("In the comparison"), "number", 0),
        Column("stated0", _("Stated in the comparison"), "number", 0),
        Column("ratio", _("Ratio of shares"), "number", 3),
        Column("low", _("95 % from"), "number", 3),
        Column("high", _("95 % to"), "number", 3),
        Column("odds", _("Odds ratio"), "number", 3),
        Column("odds_low", _("Odds ratio, 95 % from"), "number", 3),
        Column("odds_high", _("Odds ratio, 95 % to"), "number", 3),
        Column("p", "p", "number", 6),
        Column("q", _("False discoveries"), "number", 6),
        Column("verdict", _("In words")),
    ]
    said = {True: _("differs"), False: _("not distinguishable from chance")}
    body = [
        [
            summary.field_name(found, one.field), summary.value_name(found, one.field, one.value), one.n, one.stated,
            one.n0, one.stated0, _finite(one.ratio), one.low, one.high,
            *odds_ratio(one.n, one.stated, one.n0, one.stated0), one.p, one.q, said[one.is_different],
        ]
        for one in found.compared
    ]  # fmt: skip
    return _table(found, "compared", _("What differs from the comparison"), columns, body)


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def _table(found: Profile, name: str, title: str, columns, body) -> Table:
    return Table(title, columns, body, notes(found), id=name, name=f"profile {found.unit.code} {name}")


def told(n: int) -> Any:
    """A count, or that it is of few."""
    return f"<{SMALL}" if is_small(n) else n


def totals(found: Profile) -> Table:
    """How many events are compared: what the first sentence says."""
    columns = [
        Column("side", _("Of what")),
        Column("events", _("Events"), "number", 0),
    ]
    body = [
        [place_words(found.unit, found.cell), found.events],
        [summary.comparison(found), found.events_there],
    ]
    return _table(found, "totals", _("How many events"), columns, body)


# The clock


def clock(found: Profile) -> Table:
    """Hours down, weekdays across, as the page draws it."""
    table, _without = found.clock
    columns = [Column("hour", _("Hour"))]
    columns += [Column(f"d{n}", str(name), "number", 0) for n, name in enumerate(WEEKDAYS, start=1)]
    body = [[f"{hour:02}:00", *(told(int(n)) for n in table[:, hour])] for hour in range(24)]
    return _table(found, "clock", _("Hours of the week"), columns, body)


def shades(found: Profile) -> list[tuple[str, list[tuple[Any, int]]]]:
    """(hour, [(count told, shade 0 to 3) a weekday])."""
    table, _without = found.clock
    most = max(int(table.max()), 1)

    def shade(n: int) -> int:
        return 0 if is_small(n) else min(3, 4 * n // (most + 1))

    return [(f"{hour:02}", [(told(n), shade(n)) for n in table[:, hour].tolist()]) for hour in range(24)]


# The pyramid


class Step(NamedTuple):
    band: str
    left: Any
    right: Any
    left_width: float
    right_width: float

    @property
    def left_x(self) -> float:
        """Where the left bar begins, of 100: it grows from the middle."""
        return round(100 - self.left_width, 1)


class Pyramid(NamedTuple):
    left: str
    right: str
    steps: list[Step]
    without: Any


def pyramid(found: Profile) -> Pyramid | None:
    """Victims by age, the two most frequent sexes apart, the oldest on top; None without any."""
    by_sex: Counter = Counter()
    for (sex, _band), n in found.pyramid.items():
        by_sex[sex] += n
    named = sorted(((-n, sex) for sex, n in by_sex.items() if sex), key=lambda pair: pair)[:2]
    if not named:
        return None
    sexes = sorted(sex for _n, sex in named) + [0] * (2 - len(named))
    variable = found.fields["victim.sex"]
    names = [found.codes.get((variable.pk, sex), "–") if sex else "–" for sex in sexes]
    counts = {sex: [found.pyramid.get((sex, band), 0) if sex else 0 for band in range(len(AGES))] for sex in set(sexes)}
    most = max(max(some) for some in counts.values()) or 1
    steps = []
    for band in reversed(range(len(AGES))):
        left, right = (counts[sex][band] for sex in sexes)
        widths = [0.0 if is_small(n) else round(100 * n / most, 1) for n in (left, right)]
        steps.append(Step(summary.band_name(AGES, band), told(left), told(right), *widths))
    without = sum(n for sex, n in by_sex.items() if sex not in sexes)
    return Pyramid(*names, steps, told(without))


def pyramid_table(found: Profile) -> Table | None:
    made = pyramid(found)
    if made is None:
        return None
    columns = [
        Column("age", _("Age")),
        Column("left", made.left, "number", 0),
        Column("right", made.right, "number", 0),
    ]
    return _table(
        found, "pyramid", _("Victims by age and sex"), columns, [[s.band, s.left, s.right] for s in made.steps]
    )


# Crossings and series


def crossings(found: Profile) -> list[Table]:
    made = []
    for n, (row, column, counts) in enumerate(found.crossings):
        of_rows, of_columns = Counter(), Counter()
        for (a, b), count in counts.items():
            of_rows[a] += count
            of_columns[b] += count
        down, across = _first(of_rows, ROWS), _first(of_columns, COLUMNS)
        columns = [Column("row", row.local_name)]
        columns += [Column(f"c{code}", found.codes.get((column.pk, code), str(code)), "number", 0) for code in across]
        body = [[found.codes.get((row.pk, a), str(a)), *_cells(counts, a, across, of_rows[a])] for a in down]
        if len(of_columns) > len(across):
            columns.append(Column("others", _("all others"), "number", 0))
        else:
            body = [one[:-1] for one in body]
        said = {"row": row.local_name, "column": column.local_name}
        made.append(_table(found, f"cross{n}", _("%(row)s by %(column)s") % said, columns, body))
    return made


def _first(counts: Counter, most: int) -> list[int]:
    return [code for code, _n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]


def _cells(counts, a: int, across: list[int], whole: int) -> list[Any]:
    own = [counts.get((a, b), 0) for b in across]
    return [*(told(n) for n in own), told(whole - sum(own))]


class Pair(NamedTuple):
    id: str
    one: str
    other: str
    rho: str
    months: str
    q: str


def pairs(found: Profile) -> list[Pair]:
    """The series that rise together, as the page shows them: a row each, which the sentence of it leads to."""
    names = found.categories
    return [
        Pair(
            f"s{n}",
            names.get(pair.one, ""),
            names.get(pair.other, ""),
            wording.number(pair.rho, 2),
            str(pair.months),
            _("< 0.001") if pair.q < 0.001 else wording.number(pair.q, 3),
        )
        for n, pair in enumerate(found.together[:PAIRS])
    ]


def series(found: Profile) -> Table:
    columns = [
        Column("one", _("Category")),
        Column("other", _("Rises with")),
        Column("rho", _("Rank correlation of changes"), "number", 2),
        Column("months", _("Months"), "number", 0),
        Column("q", _("False discoveries"), "number", 4),
    ]
    names = found.categories
    body = [[names.get(p.one, ""), names.get(p.other, ""), p.rho, p.months, p.q] for p in found.together]
    return _table(found, "series", _("Series that rise together"), columns, body)


# Method


def method(found: Profile) -> list[tuple[str, str]]:
    return [
        (_("Compared"), _(
            "Shares of what is stated, here and in the comparison; ratio of the shares with its 95 %% interval (Katz); "
            "two-sided mid-p of Fisher's exact test; differs where false discoveries stay at %(level)s (Benjamini and "
            "Hochberg) and the interval leaves out 1."
        ) % {"level": wording.percent(100 * LEVEL)}),
        (_("Persons"), _("Variables of victims and victimizers count persons, those of the surroundings events.")),
        (_("Small counts"), _(
            "Counts of 1 to 4 are told as <5, are not compared, and are in no sentence; reserved variables are "
            "not read."
        )),
        (_("Series"), _(
            "Events of each category in the territory by month, since both have begun, within 24 months; rank "
            "correlation of the changes from month to month, at least 0.5, with 12 months and 5 events a month; "
            "whatever the filters are."
        )),
    ]  # fmt: skip


def notes(found: Profile) -> list[tuple[str, str]]:
    return [
        (_("Unit"), f"{found.unit.code} {found.unit.local_name}"),
        *([(_("Cell"), words.one_cell(found.cell))] if found.cell else []),
        (_("Window"), words.span(found.asked)),
        (_("Filters"), words.filters(found.asked)),
        (_("Beside"), summary.comparison(found)),
        *method(found),
        *((_("Caution"), text) for text in summary.warnings(found)),
    ]


def files(found: Profile):
    """Every table of the page, made when it is asked for."""
    yield compared(found)
    yield totals(found)
    yield clock(found)
    if (made := pyramid_table(found)) is not None:
        yield made
    yield from crossings(found)
    yield series(found)
