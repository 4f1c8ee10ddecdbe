"""The tables of a page of hot spots: the hottest cells and the near repeats, on screen and as files."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.hotspots import accuracy, near_repeat
from scorecard import wording
from scorecard.hotspots import cautions, words
from scorecard.hotspots.spots import Spots, drawn_method
from units.models import Territory
from units.tables import Cell, Column, Table

SIGNIFICANT = 0.05
STRONG = 1.2  # seen over expected, from which a near repeat is worth a patrol


def names_of(places) -> dict[int, str]:
    return {one.pk: one.local_name for one in Territory.objects.filter(pk__in=set(places))}


def cells(spots: Spots, names: dict[int, str]) -> Table:
    """The hottest cells, as the map draws them: what the page shows."""
    whole = as_file(spots, names)
    shown = [n for n, column in enumerate(whole.columns) if column.key not in ("q", "longitude", "latitude")]
    whole.columns = [whole.columns[n] for n in shown]
    whole.rows = [[row[n] for n in shown] for row in whole.rows]
    whole.title = _("Hottest cells")
    return whole


def as_file(spots: Spots, names: dict[int, str]) -> Table:
    """The same with false discoveries and places, as files have it."""
    rows = [_cell_row(spots, rank, cell, names) for rank, cell in enumerate(spots.hottest, start=1)]
    label, decimals = _value_column(spots)
    columns = [
        Column("rank", _("Cell")),
        Column("place", _("Place")),
        Column("events", _("Events"), "number", 0, narrow="key"),
        Column("value", label, "number", decimals),
        Column("class", _("Class")),
        Column("parts", _("Times hot"), "number", 0),
        Column("q", _("False discoveries"), "number", 4),
        Column("longitude", _("longitude"), "number", 5),
        Column("latitude", _("latitude"), "number", 5),
    ]
    left_out = {"gi": ("parts",), "emerging": ("q",)}.get(spots.method, ("parts", "q"))
    kept = [n for n, column in enumerate(columns) if column.key not in left_out]
    said = {"unit": spots.unit.local_name, "span": words.span(spots.asked)}
    return Table(
        _("Hottest cells of %(unit)s, %(span)s") % said,
        [columns[n] for n in kept],
        [[row[n] for n in kept] for row in rows],
        [(_("Unit"), spots.unit.code), *words.method_items(spots), *cautions.notes(spots)],
        id="cells",
        name=spots.files,
        empty=_("No cell is hot. Take a longer window, fewer filters, or larger cells."),
    )


def _value_column(spots: Spots) -> tuple[str, int]:
    return {
        "gi": (_("Gi* (z)"), 2),
        "density": (_("Events/km²"), 2),
        "counts": (_("Count"), 0),
        "emerging": (_("Trend (z)"), 2),
        "risk": (_("Expected/km²"), 2),
    }[spots.method]


def _cell_row(spots: Spots, rank: int, cell: int, names: dict[int, str]) -> list[Any]:
    surface, (longitude, latitude) = spots.found.surface, spots.spot_of(cell)
    href = f"?{spots.asked.query(spot=(longitude, latitude))}#cell"
    emerging = spots.emerging if spots.method == "emerging" else None
    value = float((surface.value if emerging is None else emerging.z).flat[cell])
    return [
        Cell(rank, href),
        names.get(spots.places.get(cell, 0), ""),
        int(spots.found.counts.flat[cell]),
        value,
        words.class_of(spots, cell),
        int(emerging.times.flat[cell]) if emerging else None,
        None if surface.q is None else float(surface.q.flat[cell]),
        round(longitude, 5),
        round(latitude, 5),
    ]


# Near repeats


def knox(spots: Spots) -> Table:
    """Knox's table of near repeats, a row for each band of distance and days."""
    found = spots.knox
    rows = []
    for (i, j), seen in np.ndenumerate(found.observed):
        expected, ratio, p = float(found.expected[i, j]), float(found.ratio[i, j]), float(found.p[i, j])
        verdict = _verdict(ratio, p)
        rows.append([_distance(found, i), _days(found, j), int(seen), expected, ratio, p, verdict])
    columns = [
        Column("distance", _("Apart")),
        Column("days", _("Days between")),
        Column("pairs", _("Pairs"), "number", 0, narrow="key"),
        Column("expected", _("Expected by chance"), "number", 1),
        Column("ratio", _("Ratio"), "number", 2),
        Column("p", "p", "number", 3),
        Column("verdict", _("In words")),
    ]
    title = _("Near repeats in %(unit)s, %(span)s") % {
        "unit": spots.unit.local_name,
        "span": words.span(spots.asked),
    }
    notes = [(_("Unit"), spots.unit.code), (_("Method"), knox_method(found)), *words.method_items(spots)[3:]]
    notes += cautions.notes(spots)
    return Table(title, columns, rows, notes, id="near", name=f"{spots.files} near-repeats", method=knox_method(found))


def knox_method(found: near_repeat.Knox) -> str:
    return _(
        "Knox's test of the latest %(n)s events: pairs counted by distance and days between; expected is the mean of "
        "%(shuffles)s shuffles of the dates among the places; p is the share of shuffles that reach as many pairs."
    ) % {"n": wording.number(found.events, 0), "shuffles": found.shuffles}


def _distance(found, i) -> str:
    said = {"from": f"{found.distances[i - 1]:.0f}" if i else "0", "to": f"{found.distances[i]:.0f}"}
    return _("%(from)s–%(to)s m") % said


def _days(found, j) -> str:
    said = {"from": found.days[j - 1] + 1 if j else 0, "to": found.days[j]}
    return _("%(from)s–%(to)s days") % said


def _verdict(ratio: float, p: float) -> str:
    if math.isnan(ratio):
        return _("no pairs to judge by")
    if p <= SIGNIFICANT and ratio >= STRONG:
        return _("more than chance")
    return _("more than chance, but little") if p <= SIGNIFICANT else _("as chance would have it")


def knox_words(spots: Spots) -> str:
    """What the test says, in one sentence."""
    found = spots.knox
    strong = (found.p <= SIGNIFICANT) & (np.nan_to_num(found.ratio) >= STRONG)
    if not strong.any():
        return _("No near repeats: one event here is not followed by others nearby more often than by chance.")
    i, j = (int(n) for n in np.argwhere(strong)[np.argmax(found.ratio[strong])])
    said = {
        "distance": _distance(found, i),
        "days": _days(found, j),
        "ratio": wording.number(float(found.ratio[i, j]), 1),
        "pairs": wording.number(int(found.observed[i, j]), 0),
        "expected": wording.number(float(found.expected[i, j]), 1),
        "bands": int(strong.sum()),
    }
    first = _(
        "Near repeats: %(distance)s apart and %(days)s between there are %(ratio)s times as many pairs of events as by "
        "chance (%(pairs)s against %(expected)s expected)."
    )
    more = ngettext(
        "%(bands)s band of distance and days is above chance.",
        "%(bands)s bands of distance and days are above chance.",
        int(strong.sum()),
    )
    return f"{first % said} {more % said}"


# How good is it


MEASURES = ("pai", "pei", "rri")


def tested(spots: Spots) -> Table:
    """A row for each method of the back-test, the best first: each figure with its interval, as the page shows them."""
    names, rows = _figures(spots)
    decimals = [2] * len(MEASURES) + [1] * (len(names) - len(MEASURES))
    columns = [Column("method", _("Method"))]
    columns += [Column(key, name, narrow="key" if key == "pai" else "line") for key, name in names]
    body = [
        [_drawn_cell(spots, method), *(_with_interval(*figure, n) for figure, n in zip(figures, decimals, strict=True))]
        for method, figures in rows
    ]
    return _tested_table(spots, columns, body)


def tested_file(spots: Spots) -> Table:
    """The same as numbers, each followed by the ends of its interval."""
    names, rows = _figures(spots)
    columns = [Column("method", _("Method"))]
    for key, name in names:
        columns += [
            Column(key, name, "number", 3),
            Column(f"{key}_low", _("%(measure)s, from") % {"measure": name}, "number", 3),
            Column(f"{key}_high", _("%(measure)s, to") % {"measure": name}, "number", 3),
        ]
    body = [
        [_drawn_cell(spots, method), *(_finite(value) for figure in figures for value in figure)]
        for method, figures in rows
    ]
    return _tested_table(spots, columns, body)


def _figures(spots: Spots):
    """((key, name) of each figure, (method, (figure, low, high) of each) of each method), the best method first."""
    found, at = spots.tested, accuracy.SHARES.index(accuracy.MAIN)
    main = {"share": wording.percent(100 * accuracy.MAIN)}
    names = [("pai", _("PAI at %(share)s") % main), ("pei", "PEI"), ("rri", "RRI")]
    names += [
        (f"hits{n}", _("Hits at %(share)s") % {"share": wording.percent(100 * share)})
        for n, share in enumerate(accuracy.SHARES)
    ]
    names.append(("hits_patrol", _("Hits of one patrol")))
    rows = []
    for method, score in sorted(found.scores.items(), key=lambda one: -float(one[1].pai[:, at].mean())):
        figures = [accuracy.interval(getattr(score, name)[:, at]) for name in MEASURES]
        figures += [accuracy.interval(100 * of_windows) for of_windows in score.hit_rate.T]
        rows.append((method, figures))
    return names, rows


def _drawn_cell(spots: Spots, method: str) -> Cell:
    return Cell(method_name(spots, method), f"?{drawn_by(spots, method)}")


def _with_interval(value: float, low: float, high: float, decimals: int) -> str:
    if math.isnan(value):
        return "–"
    value, low, high = (wording.number(one, decimals) for one in (value, low, high))
    return f"{value} ({low}–{high})"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _tested_table(spots: Spots, columns, body) -> Table:
    title = _("How good each method was in %(unit)s, %(span)s") % {
        "unit": spots.unit.local_name,
        "span": words.span(spots.asked),
    }
    method = tested_method(spots)
    notes = [(_("Unit"), spots.unit.code), (_("Method"), method), *words.method_items(spots)[2:]]
    notes += cautions.notes(spots)
    return Table(title, columns, body, notes, id="tested", name=f"{spots.files} accuracy", method=method)


def method_name(spots: Spots, method: str) -> str:
    """A method of the back-test in words, its bandwidth with it."""
    name, _space, width = method.partition(" ")
    return f"{words.METHODS[name]}, {words.metres(float(width) * spots.cell)}" if width else str(words.METHODS[name])


def drawn_by(spots: Spots, method: str) -> str:
    """The address at which this page draws that method."""
    name, bandwidth = drawn_method(method, spots.cell)
    return spots.asked.query(method=name, bandwidth=bandwidth, cell=spots.cell, spot=None)


def tested_method(spots: Spots) -> str:
    found = spots.tested
    return _(
        "From the past alone each method says where the events of the next %(days)s days will be, on %(windows)s "
        "days of the window's second half. PAI: share of those events in the hot cells over the share of the area "
        "that these are; in brackets, or from and to, 90 %% of resampled windows. PEI: those events over the most that "
        "so many cells held. RRI: their share over that of the days before. Hits: percent of the events. One patrol: "
        "%(patrol)s."
    ) % {"days": found.horizon, "windows": len(found.starts), "patrol": patrol_words(spots)}


def patrol_words(spots: Spots) -> str:
    """What one patrol looks after, and who says so."""
    area = _("%(n)s km²") % {"n": _area(spots.patrol)}
    if spots.asked.patrol:
        return _("%(area)s, as asked for") % {"area": area}
    if not spots.beats[0]:
        return _("%(area)s, as no boundary below says it") % {"area": area}
    n = spots.beats[0]
    text = ngettext(
        "%(area)s, the area of the %(n)s lowest territory here",
        "%(area)s, the mean area of the %(n)s lowest territories here",
        n,
    )
    return text % {"area": area, "n": wording.number(n, 0)}


def _area(value: float) -> str:
    return wording.number(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def score_words(spots: Spots) -> str:
    """How well what is drawn has foretold, beside the map; empty where that was not tested, or not as it is drawn."""
    if not (spots.asked.test or spots.is_chosen_by_test) or spots.tested is None:
        return ""
    drawn = spots.method, None if spots.method in ("counts", "risk") else round(spots.bandwidth)
    method = next((one for one in spots.tested.scores if drawn_method(one, spots.cell) == drawn), None)
    if method is None:
        return ""
    if spots.is_chosen_by_test:
        said = {"n": len(spots.tested.scores)}
        return f"{_('Chosen by test, the best of %(n)s.') % said} {choosing_words(spots)}"
    pai = spots.tested.scores[method].pai[:, accuracy.SHARES.index(accuracy.MAIN)]
    return _("Tested: PAI %(pai)s (%(low)s to %(high)s) at %(share)s of the area.") % _pai_words(pai)


def _pai_words(of_windows: np.ndarray) -> dict[str, str]:
    pai, low, high = (wording.number(value, 1) for value in accuracy.interval(of_windows))
    return {"pai": pai, "low": low, "high": high, "share": wording.percent(100 * accuracy.MAIN)}


def choosing_words(spots: Spots) -> str:
    """How well it goes to choose by test: the score of the best is flattered by the windows that made it the best."""
    choosing = spots.tested.choosing
    if np.isnan(choosing).all():
        return _("The window is too short to test the choosing itself.")
    text = _(
        "The choosing itself, each time by earlier windows alone and held against the next: PAI %(pai)s (%(low)s to "
        "%(high)s) at %(share)s of the area."
    )
    return text % _pai_words(choosing)


def tested_words(spots: Spots) -> str:
    """Which method won, and that it is the best of several on the very windows that it is scored on."""
    found, at = spots.tested, accuracy.SHARES.index(accuracy.MAIN)
    said = {"method": method_name(spots, found.winner), **_pai_words(found.scores[found.winner].pai[:, at])}
    first = _(
        "%(method)s was best here: %(share)s of the area held %(pai)s times as many of the next events as its size "
        "would (%(low)s to %(high)s)."
    )
    flattered = _("As the best of %(n)s on these windows its score is flattered.") % {"n": len(found.scores)}
    return f"{first % said} {flattered} {choosing_words(spots)}"
