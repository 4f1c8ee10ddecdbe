"""What a large map draws: areas or bubbles of one month, the figures of all months for the slider, the strip."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from typing import Any

import numpy as np

from scorecard import classing, geometry, wording
from scorecard.atlas.figures import Atlas
from scorecard.components import Area, Band, Map, MapClass
from scorecard.hotspots.choices import STRIP_HEIGHT, Bar
from scorecard.html import band_words
from scorecard.templatetags.tablero import band_look, shade

LARGEST, SMALLEST = 36.0, 7.0  # radius of the largest bubble where areas are few, and where they are many
NONE = Band("not_applicable")


def map_of(atlas: Atlas, month: date, name: str) -> Map:
    """The map of one month; name tells the maps of a page apart."""
    figures = atlas.figures
    at = figures.at(month)
    drawn = geometry.paths_of(atlas.rows)
    middles = drawn.middles if atlas.asked.drawn == "bubbles" else {}
    areas = []
    for n, row in enumerate(atlas.rows):
        path = drawn.paths.get(row.unit_id)
        if not path:
            continue
        value = math.nan if at is None else float(figures.value[at, n])
        look = -1 if at is None else int(figures.look[at, n])
        spot = (*middles[row.unit_id], radius(atlas, value)) if row.unit_id in middles else None
        band = figures.bands[look] if look >= 0 else NONE
        level = classing.class_of(value, atlas.least)
        href = href_of(atlas, row)
        areas.append(Area(row.code, atlas.name(row), path, band, printed(atlas, value), href, level, spot))
    areas.sort(key=lambda area: -area.spot[2] if area.spot else 0)
    return Map(
        id=name,
        title=f"{atlas.by_words}, {atlas.when(month)}",
        view_box=drawn.view_box,
        areas=areas,
        value_label=atlas.by_words,
        is_schematic=any(row.is_schematic for row in atlas.rows),
        note=geometry.note_on(atlas.rows),
        classes=_classes(atlas, areas),
        bands=figures.bands,
    )


def href_of(atlas: Atlas, row: Any) -> str:
    """One level down on the map, or the unit's scorecard where nothing is drawn below it."""
    if row.unit_id in atlas.parents:
        return f"/map/{row.code}/?{atlas.asked.query(steps=1, place='')}"
    return wording.scorecard_href(row.code, atlas.month, atlas.by)


def _classes(atlas: Atlas, areas: list[Area]) -> list[MapClass]:
    least, held = atlas.least, Counter(area.level for area in areas)
    return [MapClass(n, wording.class_words(least, n, atlas.decimals), held[n]) for n in range(1, len(least) + 1)]


def radius(atlas: Atlas, value: float) -> float:
    """A bubble's area is to the largest of all months as the figures are; 0 where there is none."""
    most = atlas.most
    if not (most > 0 and value > 0):
        return 0.0
    return largest(atlas) * math.sqrt(value / most)


def largest(atlas: Atlas) -> float:
    return float(np.clip(240 / math.sqrt(max(1, len(atlas.rows))), SMALLEST, LARGEST))


def printed(atlas: Atlas, value: float) -> str:
    """A figure with its unit; empty where missing."""
    shown = wording.number(value, atlas.decimals)
    unit = atlas.unit_of_measure
    return f"{shown} {unit}".strip() if shown else ""


# All months, for the slider ------------------------------------------------------------------------------------------


def columns(atlas: Atlas) -> dict[str, Any]:
    """The figures and looks of every month, columns in the order of `codes`; and what each look is."""
    figures, least = atlas.figures, atlas.least
    if least:
        look = [[classing.class_of(value, least) for value in row] for row in figures.value.tolist()]
        blank = [("", shade(0, len(least)), band_words(Band("no_data")))]
        shades = [
            ("", shade(n, len(least)), wording.class_words(least, n, atlas.decimals)) for n in range(1, len(least) + 1)
        ]
        looks = [{"class": f"a {style}", "band": "", "words": words} for _fill, style, words in blank + shades]
    else:
        look = (figures.look + 1).tolist()
        bands = [NONE, *figures.bands]
        looks = [{"class": f"a a-{band.name}", "band": _fill_of(band), "words": band_words(band)} for band in bands]
    rounded = np.round(figures.value, max(atlas.decimals, 0))
    return {
        "months": [f"{month:%Y-%m}" for month in figures.months],
        "titles": [f"{atlas.by_words}, {atlas.when(month)}" for month in figures.months],
        "codes": [row.code for row in atlas.rows],
        "names": [atlas.name(row) for row in atlas.rows],
        "figures": [[None if math.isnan(value) else value for value in row] for row in rounded.tolist()],
        "look": look,
        "looks": looks,
        "decimals": atlas.decimals,
        "unit": atlas.unit_of_measure,
        "most": atlas.most if math.isfinite(atlas.most) else 0,
        "largest": largest(atlas),
    }


def _fill_of(band: Band) -> str:
    """The end of the name of a light's pattern; a map's own id stands before it."""
    return band_look(band, "").partition('fill="url(#')[2].removesuffix(')"')


def strip(atlas: Atlas) -> list[Bar]:
    """The unit's own figure month by month; a bar leads to its month."""
    figures, found = atlas.figures, []
    most = float(np.nanmax(figures.own, initial=0)) or 1.0
    for x, (month, value) in enumerate(zip(figures.months, figures.own.tolist(), strict=True)):
        height = 0.0 if math.isnan(value) else round(max(0.0, STRIP_HEIGHT * value / most), 1)
        label = f"{atlas.when(month)}: {printed(atlas, value)}"
        is_shown = month in (atlas.month, atlas.asked.beside)
        href = f"?{atlas.asked.query(month=month)}"
        found.append(Bar(href, label, x, round(STRIP_HEIGHT - height, 1), height, is_shown))
    return found
