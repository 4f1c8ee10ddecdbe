"""The tables and the drawing of the page of the last 28 days, on screen and as files."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from indicators.control import RUN
from scorecard import wording
from scorecard.chance import told
from scorecard.recent.reading import PERIODS, SPAN, YEAR, Peer, Recent, Row
from units.tables import Cell, Column, Table

INDENT = "\u2003"
WIDTH, HEIGHT, LEFT, BELOW = 780, 200, 80, 24  # of the drawing; room for the scale, and for the days under it


def day_words(day) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def name_of(row: Row) -> str:
    return row.category.local_name if row.category else str(_("All events"))


def notes(found: Recent) -> list[tuple[str, str]]:
    return [
        (_("Unit"), found.unit.code),
        (_("Until"), date_format(found.last, "DATE_FORMAT")),
        (_("Change"), _("ratio of rates with its 99 % interval: exact (mid-p), widened by the unit's own dispersion")),
        (_("List"), _("more and fewer: at most one in ten of those so marked by chance (Benjamini-Hochberg)")),
    ]


def compared(found: Recent) -> Table:
    """A row a category: 28 days and the year to date, each beside the one before."""
    short, long = found.changes
    before, year = found.period(PERIODS - 2)[0], date(found.last.year - 1, 1, 1)
    rows = []
    for n, row in enumerate(found.rows):
        code = row.category.code if row.category else ""
        rows.append(
            [
                Cell(INDENT * row.depth + name_of(row), f"?last={found.last}&category={code}#control"),
                int(row.counts[-1]),
                int(row.counts[-2]),
                *_change(short, n, row, before, row.counts[-1], row.counts[-2]),
                _held(row, found.last - timedelta(days=YEAR - 1), row.year_ago),
                row.to_date,
                _held(row, found.same_day_last_year, row.to_date_before),
                *_change(long, n, row, year, row.to_date, row.to_date_before),
            ]
        )
    columns = [
        Column("category", _("Category")),
        Column("days", _("%(days)s days") % {"days": SPAN}, "number", 0, narrow="key"),
        Column("before", _("the %(days)s before") % {"days": SPAN}, "number", 0),
        Column("ratio", _("Ratio"), say=str),
        Column("says", _("Beyond chance")),
        Column("year_ago", _("a year before"), "number", 0),
        Column("to_date", _("Year to date"), "number", 0),
        Column("to_date_before", _("last year to date"), "number", 0),
        Column("ratio_year", _("Ratio of the years"), say=str),
        Column("says_year", _("Year beyond chance")),
    ]
    title = _("%(unit)s: %(days)s days until %(last)s") % {
        "unit": found.unit.local_name,
        "days": SPAN,
        "last": date_format(found.last, "DATE_FORMAT"),
    }
    return Table(title, columns, rows, notes(found), id="compared", name=f"{found.unit.code} 28-days {found.last}")


def _held(row: Row, until: date, events: int) -> int | None:
    """Events of days until `until`: none are not known to be none where it began only after."""
    return None if not events and row.since and row.since > until else events


def _change(change, n, row: Row, start: date, now, before) -> list[str]:
    """[ratio with its interval, whether it is more than chance]; no ratio of nothing before, or of a part that began
    after `start`, the first day of what is compared with.
    """
    if row.since and row.since > start:
        return ["–", _("since %(day)s") % {"day": day_words(row.since)} if now or before else ""]
    if not before:  # that few, or a feed that had not begun: the counts cannot tell
        return ["–", str(_("none before")) if now else ""]
    return told(*(part[n] for part in (change.ratio, change.low, change.high, change.is_distinct)))


def control(found: Recent) -> Table:
    """A row a period of the chart, the latest first."""
    chart, rows = found.control, []
    for n in reversed(range(PERIODS)):
        bounds = [
            None if math.isnan(float(part[n])) else float(part[n]) for part in (chart.centre, chart.low, chart.high)
        ]
        rows.append([period_words(found, n), int(found.charted.counts[n]), *bounds, signal(found, n)])
    columns = [
        Column("period", _("Period")),
        Column("events", _("Events"), "number", 0, narrow="key"),
        Column("centre", _("Centre"), "number", 1),
        Column("low", _("Lower limit"), "number", 0),
        Column("high", _("Upper limit"), "number", 0),
        Column("signal", _("Signal")),
    ]
    title = _("Control chart: %(category)s") % {"category": name_of(found.charted)}
    return Table(title, columns, rows, notes(found), id="control", name=f"{found.unit.code} control {found.last}")


def period_words(found: Recent, n: int) -> str:
    first, last = found.period(n)
    return f"{day_words(first)} – {day_words(last)}"


def signal(found: Recent, n: int) -> str:
    chart = found.control
    if chart.is_above[n]:
        return str(_("above its limits"))
    if chart.is_below[n]:
        return str(_("below its limits"))
    return str(_("%(n)s in a row on one side") % {"n": RUN}) if chart.is_run[n] else ""


def drawn(found: Recent) -> dict[str, Any]:
    """The chart as paths of an SVG of WIDTH by HEIGHT and what is BELOW, y downwards; its scale from 0 to the top."""
    counts, chart = found.charted.counts, found.control
    highest = max(1.0, float(counts.max()), *(float(value) for value in chart.high if not math.isnan(value)))
    x = [round(LEFT + n * (WIDTH - LEFT - 10) / (PERIODS - 1), 1) for n in range(PERIODS)]

    def y(value):
        return round(HEIGHT - 10 - (HEIGHT - 20) * float(value) / highest, 1)

    def path(values):
        some = [(at, y(value)) for at, value in zip(x, values, strict=True) if not math.isnan(value)]
        return "M" + "L".join(f"{at} {up}" for at, up in some) if some else ""

    return {
        "view_box": f"0 0 {WIDTH} {HEIGHT + BELOW}",
        "scale": [(y(value), wording.number(value, 0)) for value in (0, round(highest))],
        "ends": [("start", x[0], day_words(found.start)), ("end", x[-1], day_words(found.last))],
        "line": path(counts.astype(float)),
        "centre": path(chart.centre),
        "low": path(chart.low),
        "high": path(chart.high),
        "points": [
            {
                "x": x[n],
                "y": y(count),
                "is_signal": bool(signal(found, n)),
                "label": f"{period_words(found, n)}: {count} {signal(found, n)}",
            }
            for n, count in enumerate(counts.tolist())
        ],
    }


SETTINGS = {
    "": "",
    "rural": pgettext_lazy("setting", "rural"),
    "town": pgettext_lazy("setting", "town"),
    "city": pgettext_lazy("setting", "city"),
}


def peers(found: Recent, seen: set[int]) -> Table:
    """Units like this one that the reader may see; deciles are among all units of the level."""
    rows = [_peer_row(found, one) for one in found.peers if one.unit.pk in seen or one.unit.pk == found.unit.pk]
    columns = [
        Column("unit", _("Unit")),
        Column("people", _("People"), "number", 0),
        Column("density", _("People/km²"), "number", 0),
        Column("setting", _("Setting")),
        Column("events", _("Events of a year"), "number", 0),
        Column("rate", _("per 100,000"), "number", 1, narrow="key"),
        Column("interval", _("95 % interval"), say=str),
        Column("decile", _("Decile"), "number", 0),
        Column("deciles", _("Deciles of the interval"), say=str),
    ]
    category = found.category.local_name if found.category else _("All events")
    title = _("Units like %(unit)s: %(category)s") % {"unit": found.unit.local_name, "category": category}
    return Table(title, columns, rows, notes(found)[:2], id="peers", name=f"{found.unit.code} peers {found.last}")


def _peer_row(found: Recent, one: Peer) -> list[Any]:
    own = one.unit.pk == found.unit.pk
    name = _("%(unit)s (this unit)") % {"unit": one.unit.local_name} if own else one.unit.local_name
    category = found.category.code if found.category else ""
    href = "" if own else f"/recent/{one.unit.code}/?last={found.last}&category={category}"
    figures = [one.people, one.density, SETTINGS[one.setting], one.events, one.rate]
    return [Cell(name, href), *figures, rate_ends(one), found.decile(one), decile_ends(found, one)]


def rate_ends(one: Peer) -> str:
    low, high = (wording.number(end, 1) for end in one.rate_ends)
    return f"{low}–{high}"


def decile_ends(found: Recent, one: Peer) -> str:
    low, high = found.decile_ends(one)
    return str(low) if low == high else f"{low}–{high}"


def answer(found: Recent) -> str:
    """The page in one sentence: events of the category asked for, or all, beside those before, and what is chance."""
    if found.category is None:
        return _compared_words(found, 0)
    at = next((n for n, row in enumerate(found.rows) if row.category == found.category), None)
    return f"{found.category.local_name}: {_compared_words(found, at)}"


def _compared_words(found: Recent, at: int | None) -> str:
    """Of the row at this place; of None, which has no events."""
    short, _long = found.changes
    said: dict[str, Any] = {"unit": found.unit.local_name, "days": SPAN}
    row = None if at is None else found.rows[at]
    if row is None or not row.counts[-2:].any():
        said |= {"days": 2 * SPAN, "day": date_format(found.last, "DATE_FORMAT")}
        return _("No event in %(unit)s in the %(days)s days until %(day)s.") % said
    said |= {"n": wording.number(int(row.counts[-1]), 0), "before": wording.number(int(row.counts[-2]), 0)}
    if row.since and row.since > found.period(PERIODS - 2)[0]:
        said["day"] = date_format(row.since, "DATE_FORMAT")
        text = _(
            "%(n)s events in %(unit)s in %(days)s days. Those before do not compare: some came only from %(day)s on."
        )
        return text % said
    if not short.is_distinct[at]:
        text = _("%(n)s events in %(unit)s in %(days)s days, %(before)s in those before: no more than chance explains.")
        return text % said
    return _("%(n)s events in %(unit)s in %(days)s days, %(before)s in those before: more than chance explains.") % said


def moved(found: Recent) -> str:
    """The narrowest categories that changed by more than chance, the largest change in events first."""
    short, _long = found.changes
    rows = [found.rows[n] for n in found.finest if short.is_distinct[n] and found.rows[n].category]
    if not rows:
        return _("No category changed by more than chance.")
    rows.sort(key=lambda row: -abs(int(row.counts[-1]) - int(row.counts[-2])))
    said = {True: [], False: []}
    for row in rows:
        text = _("%(category)s (%(n)s after %(before)s)") % {
            "category": name_of(row),
            "n": wording.number(int(row.counts[-1]), 0),
            "before": wording.number(int(row.counts[-2]), 0),
        }
        said[bool(row.counts[-1] > row.counts[-2])].append(text)
    parts = [(_("More than chance: %(list)s."), said[True]), (_("Fewer than chance: %(list)s."), said[False])]
    return " ".join(text % {"list": ", ".join(some)} for text, some in parts if some)
