"""Tags that draw the components; docs/interface.md lists them with their arguments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString

from scorecard import components, html, html_tables
from scorecard.components import Band, Link, Map, band_of

register = template.Library()
register.simple_tag(html.light)
register.simple_tag(html.figure)
register.simple_tag(html.sparkline)
register.simple_tag(html.indicator_row)
register.simple_tag(html.scorecard_table)
register.simple_tag(html_tables.table_html, name="table")
register.simple_tag(html_tables.chart_twin)
register.simple_tag(html_tables.map_twin)


@register.simple_tag
def card_light(light: int, provisional: bool = False, has_red: bool = False, due: bool = True) -> SafeString:
    """The light of a whole card, from the card's own fields."""
    band = components.card_band(int(light), provisional=provisional, has_red=has_red, due=due)
    return html.light(band)


# Figures


@register.filter
def num(value: float | None, decimals: int | None = None) -> str:
    """A figure as printed in the reader's language; empty where missing."""
    return components.number(value, decimals, html.current_language())


@register.filter
def pct(value: float | None, decimals: int = 0) -> str:
    """A percentage as printed: 12 is 12 %."""
    return components.percent(value, decimals, html.current_language())


@register.filter
def month_name(month: date) -> str:
    """A month in full: October 2023."""
    return date_format(month, "YEAR_MONTH_FORMAT")


# Maps


def _pattern_id(band: Band, prefix: str) -> str:
    return f"{prefix}-{'p-' if band.provisional else ''}{band.name}"


# What lies over a light's colour, so that no map needs colour to be read: 8 x 8 drawing units, repeated.
_TEXTURES = {
    "green": "",
    "amber": '<circle class="tx" cx="2" cy="2" r=".9"/><circle class="tx" cx="6" cy="6" r=".9"/>',
    "red": '<path class="ts" d="M-1 1 1-1M0 8 8 0M7 9 9 7"/>',
    "no_data": "",
    "not_applicable": '<path class="tm" d="M1 4h4"/>',
    "not_evaluable": '<path class="tm" d="M2.5 2.5l3 3M5.5 2.5l-3 3"/>',
    "withheld": '<circle class="td" cx="4" cy="4" r=".8"/>',
}
_PROVISIONAL_TEXTURE = '<path class="tp" d="M0 0 8 8M-1 7 1 9M7-1 9 1"/>'


@register.simple_tag
def map_patterns(map: Map) -> SafeString:
    """The fills that this map needs."""
    shown = [] if map.classes else [*map_bands(map), *map.bands]
    bands = dict.fromkeys((band.name, band.provisional) for band in shown)
    parts = []
    for name, provisional in bands:
        texture = _TEXTURES[name] + (_PROVISIONAL_TEXTURE if provisional else "")
        parts.append(
            f'<pattern id="{_pattern_id(Band(name, provisional), esc(map.id))}" width="8" height="8" '
            f'patternUnits="userSpaceOnUse"><path class="f-{name}" d="M0 0h8v8H0z"/>{texture}</pattern>'
        )
    return html.safe("".join(parts))


def map_bands(map: Map) -> Iterable[Band]:
    """What each area shows, in turn."""
    return (band_of(area.marks) for area in map.areas)


@register.simple_tag
def map_areas(map: Map) -> SafeString:
    """The areas of a map: each a link with its name, figure and light in words."""
    prefix = esc(map.id)
    words: dict[Any, str] = {}
    classes = {one.level: esc(one.words) for one in map.classes}
    parts = []
    for area in map.areas:
        band = band_of(area.marks)
        said = classes.get(area.level) or words.get(band) or words.setdefault(band, esc(html.band_words(band)))
        name, value = esc(area.name), esc(area.value)
        label = f"{name}: {value}, {said}" if value else f"{name}: {said}"
        look = band_look(band, prefix)
        if classes:
            look = f'class="a {shade(area.level, len(classes))}"'
        path = _drawn(area, look)
        if area.href:
            parts.append(f'<a href="{esc(area.href)}" aria-label="{label}" data-code="{esc(area.code)}">{path}</a>')
        else:
            parts.append(f'<g role="img" aria-label="{label}" data-code="{esc(area.code)}">{path}</g>')
    return html.safe("".join(parts))


def band_look(band: Band, prefix: str) -> str:
    """The attributes that paint an area, or its bubble, in a light."""
    return f'class="a a-{band.name}" fill="url(#{_pattern_id(band, prefix)})"'


def _drawn(area: components.Area, look: str) -> str:
    """An area painted whole; or its bubble, a circle whose area says the figure."""
    sought = f'<path class="sought" d="{area.d}"/>' if area.is_sought else ""
    if area.spot is None:
        return f'<path {look} d="{area.d}"/>{sought}'
    x, y, radius = area.spot
    return f'<circle {look} cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>{sought}'


@register.simple_tag
def map_grounds(map: Map) -> SafeString:
    """The areas under their bubbles."""
    return html.safe("".join(f'<path class="ground" d="{area.d}"/>' for area in map.areas if area.spot))


def shade(level: int, classes: int) -> str:
    """The style of a class: the highest is always the darkest, what has no figure is blank."""
    return f"k-h{level + 5 - classes}" if level else "a-no_data f-no_data"


@register.simple_tag
def map_legend(map: Map) -> SafeString:
    """The legend in words, with how many areas stand in each band or class."""
    if map.classes:
        swatch = '<svg class="l" viewBox="0 0 14 14" aria-hidden="true"><path class="{}" d="M0 0h14v14H0z"/></svg>'
        shades = [(swatch.format(shade(one.level, len(map.classes))), one) for one in reversed(map.classes)]
        classes = [f"<li>{drawn} {esc(one.words)} <b>{one.count}</b></li>" for drawn, one in shades]
        return html.safe(f'<ul class="legend">{"".join(classes)}</ul>')
    items = [f"<li>{html.light(name)} <b>{count}</b></li>" for name, count in map.counts]
    return html.safe(f'<ul class="legend">{"".join(items)}</ul>')


# Frame


@register.simple_tag(takes_context=True)
def theme_attribute(context: template.Context) -> SafeString:
    """The theme the reader chose, on the first byte, so that no page flashes; nothing where the system decides."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request is not None else None
    return html.safe(f' data-theme="{chosen}"' if chosen in ("light", "dark") else "")


@register.simple_tag(takes_context=True)
def address(context: template.Context) -> str:
    """The address of this page, to come back to after a change of language; "/" where there is none."""
    request = context.get("request")
    return request.get_full_path() if request is not None and request.method == "GET" else "/"


def _months_between(first: date, last: date) -> Iterable[date]:
    month = last.replace(day=1)
    while month >= first.replace(day=1):
        yield month
        month = shifted(month, -1)


def shifted(month: date, by: int) -> date:
    """The first day of the month `by` months away."""
    years, index = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(years, index + 1, 1)


@register.inclusion_tag("components/month_stepper.html")
def month_stepper(month: date, href: str, first: date | None = None, last: date | None = None) -> dict[str, Any]:
    """Steps by a month. `href` is an address with {month} in it (2023-10); the menu offers the months of 3 years."""

    def link(to: date) -> str:
        return href.replace("{month}", to.strftime("%Y-%m"))

    start, end = first or shifted(month, -24), last or shifted(month, 12)
    start = max(start, shifted(date(month.year, 1, 1), -24))
    years: dict[int, list[Link]] = {}
    for choice in _months_between(start, max(end, month)):
        label = date_format(choice, "M")
        years.setdefault(choice.year, []).insert(0, Link(label, link(choice), choice == month))
    before, after = shifted(month, -1), shifted(month, 1)
    return {
        "label": month_name(month),
        "previous_href": link(before) if first is None or before >= first.replace(day=1) else "",
        "previous_label": month_name(before),
        "next_href": link(after) if last is None or after <= last else "",
        "next_label": month_name(after),
        "years": list(years.items())[:4],
    }
