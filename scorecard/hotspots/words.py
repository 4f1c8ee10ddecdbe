"""What a page of hot spots says: its answer, its method with every setting, its warnings, its legend."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from incidents.hotspots import analysis, gi_star, risk
from incidents.hotspots.trend import Change
from incidents.models import Category, Variable, VariableCode
from scorecard import wording
from scorecard.hotspots.asked import EVENTS, Asked
from scorecard.hotspots.spots import OneCell, Spots
from units.models import Unit

METHODS = {
    "auto": gettext_lazy("best by test"),
    "gi": gettext_lazy("Getis-Ord Gi*"),
    "density": gettext_lazy("Kernel density"),
    "counts": gettext_lazy("Counts"),
    "points": gettext_lazy("Events one by one"),
    "emerging": gettext_lazy("Emerging hot spots"),
    "risk": gettext_lazy("Risk of the next months"),
}
CHANGES = {  # of several cells
    Change.NEW: pgettext_lazy("hot spot", "new"),
    Change.INTENSIFYING: pgettext_lazy("hot spot", "intensifying"),
    Change.PERSISTENT: pgettext_lazy("hot spot", "persistent"),
    Change.DIMINISHING: pgettext_lazy("hot spot", "diminishing"),
    Change.SPORADIC: pgettext_lazy("hot spot", "sporadic"),
}
ONE = {  # of one cell
    Change.NEW: pgettext_lazy("a hot cell", "new"),
    Change.INTENSIFYING: pgettext_lazy("a hot cell", "intensifying"),
    Change.PERSISTENT: pgettext_lazy("a hot cell", "persistent"),
    Change.DIMINISHING: pgettext_lazy("a hot cell", "diminishing"),
    Change.SPORADIC: pgettext_lazy("a hot cell", "sporadic"),
}
WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


class Class(NamedTuple):
    """One class of the legend: the level it is drawn for, its name for the style sheet, and its words."""

    level: int
    name: str
    words: str


def span(asked: Asked) -> str:
    """The window in words: whole months as months."""
    if asked.is_whole_months:
        if asked.first.replace(day=1) == asked.last.replace(day=1):
            return wording.month_name(asked.first)
        said = {"first": wording.month_name(asked.first), "last": wording.month_name(asked.last)}
    elif asked.first == asked.last:
        return date_format(asked.first, "DATE_FORMAT")
    else:
        said = {"first": date_format(asked.first, "DATE_FORMAT"), "last": date_format(asked.last, "DATE_FORMAT")}
    return _("%(first)s to %(last)s") % said


def place(unit: Unit, cell: OneCell | None) -> str:
    """The unit by name, or one cell of it."""
    if cell is None:
        return unit.local_name
    said = {"cell": one_cell(cell), "unit": unit.local_name}
    return _("the cell of %(cell)s in %(unit)s") % said


def one_cell(cell: OneCell) -> str:
    longitude, latitude = cell.middle
    return _("%(side)s around %(place)s") % {"side": metres(cell.side), "place": f"{latitude:.5f}, {longitude:.5f}"}


def share(value: float) -> str:
    return wording.percent(100 * value, 0 if value >= 0.095 else 1)


def answer(spots: Spots) -> str:
    """The map in one sentence."""
    found_events = len(spots.points)
    said = {"unit": spots.unit.local_name, "span": span(spots.asked), "n": wording.number(found_events, 0)}
    if not found_events:
        return _("No event with a point in %(unit)s, %(span)s.") % said
    if spots.is_too_few:
        return _("%(n)s events in %(unit)s, %(span)s: too few to tell a pattern from chance, so only counted.") % said
    if spots.method == "emerging":
        return _emerging_answer(spots, said)
    found = spots.found
    said |= {"area": share(found.area_share), "share": share(found.event_share)}
    cells = int(found.surface.is_hot.sum())
    if spots.method == "gi":
        if not cells:
            densest = analysis.densest(found.counts, found.area)
            said |= {"area": share(densest.sum() / found.area.sum())}
            said |= {"share": share(found.counts[densest].sum() / max(1, found.shown))}
            text = _(
                "No hot spot in %(unit)s, %(span)s: cells with many events do not lie together more than by chance. "
                "The %(area)s with most of them holds %(share)s of %(n)s events."
            )
            return text % said
        said["cells"] = wording.number(cells, 0)
        return (
            ngettext(
                "%(cells)s hot cell in %(unit)s, %(area)s of its area, holds %(share)s of %(n)s events of %(span)s.",
                "%(cells)s hot cells in %(unit)s, %(area)s of its area, hold %(share)s of %(n)s events of %(span)s.",
                cells,
            )
            % said
        )
    if spots.method == "risk":
        text = _(
            "The next events are likeliest in the %(area)s of %(unit)s that held %(share)s of %(n)s events of %(span)s."
        )
        return text % said
    return _("The densest %(area)s of the area of %(unit)s holds %(share)s of %(n)s events of %(span)s.") % said


def _emerging_answer(spots, said):
    counts = {change: int((spots.emerging.change == change).sum()) for change in CHANGES}
    named = [f"{wording.number(n, 0)} {CHANGES[change]}" for change, n in counts.items() if n]
    if not named:
        return _("No cell of %(unit)s was a hot spot in any part of %(span)s.") % said
    return _("Hot cells of %(unit)s over %(span)s: %(named)s.") % {**said, "named": ", ".join(named)}


# Method


def metres(value: float) -> str:
    return (
        f"{wording.number(value / 1000, None if value % 1000 else 0)} km"
        if value >= 1000
        else f"{wording.number(value, 0)} m"
    )


def method_items(spots: Spots) -> list[tuple[str, str]]:
    """Every setting that the map hangs on, as (term, words): printed under it and on its files."""
    points = spots.points
    return [
        (_("Method"), method_words(spots)),
        (_("Bandwidth"), _bandwidth(spots)),
        (_("Cells"), _("squares of %(side)s") % {"side": metres(spots.cell)}),
        ("N", _events(spots)),
        (_("Without coordinates"), _missing(points)),
        (_("Window"), span(spots.asked)),
        (_("Filters"), filters(spots.asked)),
    ]


def drawn(spots: Spots) -> str:
    """What is drawn, by name."""
    return str(METHODS[EVENTS if spots.are_events_drawn else spots.method])


def method_words(spots: Spots) -> str:
    if spots.are_events_drawn:
        return _("Events by their points, those that lie close at this scale as one circle with their number")
    if spots.method == "gi":
        return _(
            "Getis-Ord Gi* of the counts of cells, each with those around it; hot where at most %(level)s of what is "
            "called hot or cold is expected to be false (Pearson type III, Benjamini and Hochberg)"
        ) % {"level": wording.percent(100 * analysis.HOT_LEVEL)}
    if spots.method == "density":
        return _("Kernel density with a normal kernel; hot is the densest %(share)s of the area") % {
            "share": wording.percent(100 * analysis.HOT_SHARE)
        }
    if spots.method == "emerging":
        return _(
            "Getis-Ord Gi* of each of %(n)s parts of the window, and Mann-Kendall of its trend; hot in a part where at "
            "most %(level)s are expected to be false"
        ) % {"n": len(spots.emerging.starts), "level": wording.percent(100 * analysis.SLICE_LEVEL)}
    if spots.method == "risk":
        return _(
            "Densities of several widths and memories, weighted by how well each foretold the windows before "
            "(expectation-maximisation); events a square kilometre in three months, were there as many as in the last "
            "three; hot is the %(share)s of the area where most are expected"
        ) % {"share": wording.percent(100 * analysis.HOT_SHARE)}
    return _("Events counted in each cell; hot are the cells with most events, %(share)s of the area") % {
        "share": wording.percent(100 * analysis.HOT_SHARE)
    }


def _bandwidth(spots: Spots) -> str:
    chosen = _("as asked for") if spots.asked.bandwidth else _("by Silverman's rule")
    if spots.is_chosen_by_test and not spots.asked.bandwidth:
        chosen = _("by test")
    said = {"h": metres(spots.bandwidth), "chosen": chosen}
    if spots.method == "counts":
        return _("none: each cell on its own")
    if spots.method == "density":
        return _("%(h)s, %(chosen)s") % said
    if spots.method == "risk":
        wide = {"least": metres(risk.WIDTHS[1] * spots.cell), "most": metres(risk.WIDTHS[-1] * spots.cell)}
        return _("cells alone and widths from %(least)s to %(most)s, mixed") % wide
    said["cells"] = 2 * spots.reach + 1
    return _("%(h)s, %(chosen)s: neighbourhoods of %(cells)s × %(cells)s cells") % said


def _events(spots: Spots) -> str:
    points = spots.points
    said = [_("%(n)s events with a point") % {"n": wording.number(len(points), 0)}]
    if spots.found.outside:
        n = wording.number(spots.found.outside, 0)
        said.append(_("%(n)s of them outside the map") % {"n": n})
    if points.without_hour:
        n = wording.number(points.without_hour, 0)
        said.append(_("%(n)s events without an hour are left out") % {"n": n})
    return "; ".join(said)


def _missing(points) -> str:
    missing = points.events - len(points)
    said = {"share": share(points.missing_share), "n": wording.number(missing, 0)}
    said["of"] = wording.number(points.events, 0)
    return _("%(share)s (%(n)s of %(of)s): not on the map") % said


def filters(asked: Asked) -> str:
    """What was asked of the events, in words."""
    category = asked.category and Category.objects.get(code=asked.category).local_name
    said = [category or _("every category")]
    if asked.hours is not None:
        hours = {"from": f"{asked.from_hour:02}:00", "to": f"{asked.to_hour % 24:02}:00"}
        said.append(_("from %(from)s to %(to)s") % hours)
    if asked.day:
        said.append(", ".join(str(WEEKDAYS[n - 1]) for n in asked.day))
    if asked.conditions:
        said.append(_variable(asked))
    return "; ".join(said)


def _variable(asked: Asked) -> str:
    factor, _dot, key = asked.variable.partition(".")
    variable = Variable.objects.get(factor=factor, key=key)
    name = f"{variable.get_factor_display()}: {variable.local_name}"
    if asked.value:
        codes = VariableCode.objects.filter(variable=variable, code__in=asked.value)
        words = [code.local_name for code in codes] + [_("not stated")] * (0 in asked.value)
        return f"{name} = {', '.join(words)}"
    bounds = [wording.number(bound, None) for bound in (asked.least, asked.most) if bound is not None]
    if len(bounds) == 2:
        return _("%(name)s from %(least)s to %(most)s") % {"name": name, "least": bounds[0], "most": bounds[1]}
    text = _("%(name)s at least %(bound)s") if asked.least is not None else _("%(name)s at most %(bound)s")
    return text % {"name": name, "bound": bounds[0]}


# Legend


def classes(spots: Spots) -> list[Class]:
    """The classes of the map, the hottest first."""
    if spots.method == "emerging":
        return [Class(int(change), f"e{int(change)}", _change_words(change)) for change in CHANGES]
    if spots.method == "gi":
        levels = list(enumerate(reversed(gi_star.LEVELS), start=1))
        hot = [Class(n, f"h{2 * n - 1}", _gi_words(_("hot"), level)) for n, level in reversed(levels)]
        return [*hot, *(Class(-n, f"c{n}", _gi_words(_("cold"), level)) for n, level in levels)]
    breaks = spots.found.surface.breaks
    found = []
    for n, least in enumerate(breaks, start=1):
        below = breaks[n] if n < len(breaks) else None
        found.append(Class(n, f"h{6 - len(breaks) + n - 1}", _range(least, below, spots.method)))
    return found[::-1]


def _gi_words(what: str, level: float) -> str:
    return _("%(what)s, at most %(level)s false") % {"what": what, "level": wording.percent(100 * level)}


def _change_words(change: Change) -> str:
    return {
        Change.NEW: _("new: hot in the last part alone"),
        Change.INTENSIFYING: _("intensifying: hot at last, and rising"),
        Change.PERSISTENT: _("persistent: hot in 8 of 10 parts and at last"),
        Change.DIMINISHING: _("diminishing: hot before, and falling"),
        Change.SPORADIC: _("sporadic: hot now and then"),
    }[change]


def _range(least: float, below: float | None, method: str) -> str:
    if method == "counts":
        first, last = int(least), None if below is None else int(below) - 1
        if last is None:
            return ngettext("%(n)s event or more", "%(n)s events or more", first) % {"n": wording.number(first, 0)}
        if first == last:
            return ngettext("%(n)s event", "%(n)s events", first) % {"n": wording.number(first, 0)}
        return _("%(first)s to %(last)s events") % {"first": first, "last": last}
    said = {"first": wording.number(least, _decimals(least)), "last": below and wording.number(below, _decimals(below))}
    if below is None:
        return _("%(first)s events/km² or more") % said
    return _("%(first)s to %(last)s events/km²") % said


def _decimals(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 1 else 3


def class_of(spots: Spots, cell: int) -> str:
    """The class of a cell in few words."""
    if spots.method == "emerging":
        change = Change(int(spots.emerging.change.flat[cell]))
        return str(ONE.get(change, ""))
    level = int(spots.found.surface.level.flat[cell])
    if spots.method == "gi" and level:
        what = _("hot") if level > 0 else _("cold")
        return f"{what}, {wording.percent(100 * gi_star.LEVELS[-abs(level)])}"
    return next((one.words for one in classes(spots) if one.level == level), _("neither hot nor cold"))
