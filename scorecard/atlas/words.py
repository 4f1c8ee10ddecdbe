"""What a large map says: its answer, its choices, its method."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scorecard import wording
from scorecard.atlas.drawing import printed
from scorecard.atlas.figures import Atlas
from scorecard.atlas.place import Found
from scorecard.components import Link
from scorecard.html import band_words
from scorecard.reading import OVERALL
from units.models import Level

LEVELS = {
    Level.NATION: gettext_lazy("nation"),
    Level.ZONE: gettext_lazy("zones"),
    Level.SUBZONE: gettext_lazy("subzones"),
    Level.DISTRICT: gettext_lazy("districts"),
    Level.CIRCUIT: gettext_lazy("circuits"),
    Level.SUBCIRCUIT: gettext_lazy("subcircuits"),
}
SPANS = {
    "": gettext_lazy("what drives the light"),
    "month": gettext_lazy("the month"),
    "year": gettext_lazy("the year to date"),
}
CLASSES = {
    "": gettext_lazy("lights"),
    "equal": gettext_lazy("equal steps"),
    "quantile": gettext_lazy("equal numbers"),
    "natural": gettext_lazy("natural breaks"),
}
DRAWN = {"areas": gettext_lazy("areas"), "bubbles": gettext_lazy("bubbles")}


def level_name(atlas: Atlas, steps: int) -> str:
    level = atlas.levels.get(steps)
    return str(LEVELS[level]) if level in LEVELS else _("units")


def answer(atlas: Atlas) -> str:
    """The ends of the month's figures, and how many are off target."""
    at = atlas.figures.at(atlas.month)
    values = [] if at is None else atlas.figures.value[at].tolist()
    known = [(value, row) for value, row in zip(values, atlas.rows, strict=False) if not math.isnan(value)]
    said = {
        "what": atlas.by_words,
        "unit": atlas.reading.unit.local_name,
        "month": atlas.when(atlas.month),
    }
    if not known:
        return _("%(what)s, %(month)s: nothing below %(unit)s has a figure.") % said
    (low, lowest), (high, highest) = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    said |= {
        "levels": level_name(atlas, atlas.steps),
        "highest": atlas.name(highest),
        "high": printed(atlas, high),
        "lowest": atlas.name(lowest),
        "low": printed(atlas, low),
    }
    if low == high:
        return _("%(what)s, %(month)s: %(high)s in all %(levels)s of %(unit)s that have a figure.") % said
    text = _("%(what)s by %(levels)s of %(unit)s, %(month)s: from %(low)s in %(lowest)s to %(high)s in %(highest)s.")
    return text % said


def beside(atlas: Atlas) -> str:
    """How many of what is drawn stand in each light."""
    at = atlas.figures.at(atlas.month)
    if at is None:
        return ""
    looks = [atlas.figures.bands[look].name for look in atlas.figures.look[at].tolist() if look >= 0]
    red, rest = looks.count("red"), len(looks)
    text = ngettext("Off target: %(red)s of %(rest)s.", "Off target: %(red)s of %(rest)s.", red)
    return text % {"red": red, "rest": rest}


def found_words(atlas: Atlas, found: Found | None) -> str:
    """Where the sought place is and what its figure is; what to do where there is none."""
    text = atlas.asked.place
    if not text:
        return ""
    if found is None:
        return _("Nothing here is called %(text)s. Try its code, or another level.") % {"text": text}
    at, n = atlas.figures.at(atlas.month), [row.unit_id for row in atlas.rows].index(found.row.unit_id)
    value = math.nan if at is None else float(atlas.figures.value[at, n])
    look = -1 if at is None else int(atlas.figures.look[at, n])
    light = band_words(atlas.figures.bands[look]) if look >= 0 else _("no figure")
    said = {"name": atlas.name(found.row), "value": printed(atlas, value) or "–", "light": light}
    told = _("%(name)s: %(value)s, %(light)s.") % said
    if found.unit is None:
        return told
    within = {"place": found.unit.local_name, "name": said["name"]}
    return f"{_('%(place)s lies in %(name)s.') % within} {told}"


def choices(atlas: Atlas) -> dict[str, list[Link]]:
    """Lists of links by what they choose; `is_current` marks what is chosen."""
    asked = atlas.asked

    def links(name: str, offered: dict[Any, str], now: Any) -> list[Link]:
        return [Link(str(said), f"?{asked.query(**{name: one})}", one == now) for one, said in offered.items()]

    found = {
        "steps": links("steps", {steps: level_name(atlas, steps) for steps in atlas.levels}, atlas.steps),
        "drawn": links("drawn", DRAWN, asked.drawn),
        "classes": links("classes", CLASSES, asked.classes),
        "by": links("by", _lines(atlas), atlas.by),
    }
    if atlas.chosen:
        found["span"] = links("span", SPANS, asked.span)
    return found


def _lines(atlas: Atlas) -> dict[str, str]:
    lines = {line.about["code"]: f"{line.about['number']} {line.name}" for line in atlas.reading.lines}
    return {OVERALL: _("Overall score"), **lines}


def method(atlas: Atlas) -> list[tuple[str, str]]:
    """By what the map was made."""
    items = [(_("Figure"), f"{atlas.by_words}, {_span_words(atlas)}")]
    if atlas.unit_of_measure:
        items.append((_("Unit of measure"), atlas.unit_of_measure))
    if atlas.least:
        text = _("%(method)s, the same in all %(n)s months, so that a colour means the same in each")
        items.append((_("Classes"), text % {"method": CLASSES[atlas.asked.classes], "n": len(atlas.figures.months)}))
    if atlas.asked.drawn == "bubbles":
        text = _("the circle's area is to the figure; the largest of all months is %(most)s")
        items.append((_("Bubbles"), text % {"most": printed(atlas, atlas.most) or "–"}))
    if atlas.asked.beside and atlas.is_counted:
        what = _("ratio of counts a day") if atlas.sheet.is_count else _("ratio of events by day and inhabitant")
        text = _(
            "%(what)s with its 99 %% interval, the dispersion drawn to that of all units drawn; of those "
            "marked more or fewer at most one in ten is so by chance (Benjamini-Hochberg)"
        )
        items.append((_("Change"), text % {"what": what}))
    return [*items, *wording.method(atlas.reading)]


def _span_words(atlas: Atlas) -> str:
    if not atlas.chosen:
        return _("of 100")
    if not atlas.asked.span:
        return wording.driver_words(atlas.chosen["light_by"])
    return str(SPANS[atlas.asked.span])
