"""The large map of a unit: levels below it, months, two months side by side, bubbles, classes, a place sought."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from indicators.models import Indicator
from scorecard import wording
from scorecard.atlas import drawing, words
from scorecard.atlas.asked import Asked, read_address
from scorecard.atlas.changed import changed
from scorecard.atlas.figures import Atlas
from scorecard.atlas.place import Found, sought
from scorecard.chance import told
from scorecard.components import Cell, Crumb, Map
from scorecard.context import simulated_note
from scorecard.html import band_words
from scorecard.life import owners_unit
from scorecard.queries import shifted
from scorecard.views.board import section_links
from scorecard.views.scorecard import crumbs, read_page
from units.models import Unit
from units.tables import Column, Table, respond_with


@require_safe
def atlas(request, code: str) -> HttpResponse:
    asked = read_address(request.GET)
    here, reading = read_page(request, code)
    frame = {
        "unit": here.unit,
        "kicker": f"{_('Map')} · {here.unit.institution} · {here.unit.code}",
        "nav_items": section_links(here.unit.code, here="atlas") if here.can_analyse else [],
    }
    found = Atlas(reading, asked) if reading is not None and reading.own is not None else None
    if found is not None and (owner := _owner_of(found)) is not None and here.sees(owner.path):
        return redirect(f"/map/{owner.code}/?{asked.query(month=found.month)}")
    if found is None or not found.levels:
        return render(request, "scorecard/atlas_empty.html", {**frame, "crumbs": _crumbs(here, asked)})
    if request.GET.get("format"):
        return respond_with([_table(found), _months_table(found)], request)
    return render(request, "scorecard/atlas.html", {**frame, **_context(request, found)})


def _owner_of(found: Atlas) -> Unit | None:
    """Of a line that the plan cites, the unit of its own institution here: those below that one have its figures."""
    if found.chosen is None or found.chosen["own"]:
        return None
    indicator = Indicator.objects.get(pk=found.chosen["indicator"])
    return owners_unit(found.reading.unit, indicator, found.month)


@require_safe
def months(request, code: str) -> HttpResponse:
    """The figures of all months as columns, for the slider."""
    _here, reading = read_page(request, code)
    if reading is None or reading.own is None:
        raise Http404
    response = JsonResponse(drawing.columns(Atlas(reading, read_address(request.GET))))
    response["Cache-Control"] = "private, no-cache"
    return response


def _context(request, found: Atlas) -> dict[str, Any]:
    asked, month = found.asked, found.month
    place = sought(found, request.user, asked.place)
    maps = [_map(found, month, "map", place)]
    if asked.beside:
        maps.append(_map(found, asked.beside, "beside", place))
    bars = drawing.strip(found)
    shown = [bar.is_shown for bar in bars]
    at = found.figures.at(month)
    return {
        "crumbs": _crumbs(found.reading.here, asked),
        "answer": words.answer(found),
        "beside": words.beside(found),
        "notice": words.found_words(found, place),
        "unknown_by": asked.by if asked.by != found.by else "",
        "asked": asked,
        "month": month,
        "atlas": found,
        "maps": maps,
        "choices": words.choices(found),
        "chosen": found.by_words,
        "bars": bars if any(shown) else [],
        "at": at if at is not None else len(bars) - 1,
        "last": len(bars) - 1,
        "earlier": _step(found, -1),
        "later": _step(found, 1),
        "months": list(reversed(found.figures.months)),
        "month_before": shifted(month, -12),
        "beside_query": asked.query(beside=asked.beside or shifted(month, -12)),
        "alone_query": asked.query(beside=None),
        "months_href": f"/map/{found.reading.unit.code}/months.json?{asked.query()}",
        "hidden": _hidden(found),
        "names": sorted(found.name(row) for row in found.rows),
        "table": _table(found).offered_at(request),
        "method_items": words.method(found),
        "simulated": found.reading.is_simulated,
        "scorecard_href": wording.scorecard_href(found.reading.unit.code, month, found.by),
    }


def _crumbs(here, asked: Asked) -> list[Crumb]:
    """The way down, the map's own choices kept."""
    query = asked.query(steps=1, place="")
    month = asked.month or here.latest or timezone.localdate().replace(day=1)
    down = crumbs(here, month, asked.by)
    codes = [one.code for one in here.above]
    return [
        Crumb(crumb.label, f"/map/{code}/?{query}" if crumb.href else "")
        for crumb, code in zip(down, codes, strict=True)
    ]


def _hidden(found: Atlas) -> list[tuple[str, str]]:
    """What the page's forms keep of the address."""
    return parse_qsl(found.asked.query(place="", beside=None))


def _step(found: Atlas, by: int) -> str:
    month = shifted(found.month, by)
    return f"?{found.asked.query(month=month)}" if month in found.figures.months else ""


def _map(found: Atlas, month, name: str, place: Found | None) -> Map:
    drawn = drawing.map_of(found, month, name)
    for area in drawn.areas:
        area.is_sought = place is not None and area.code == place.row.code
    return drawn


def _table(found: Atlas) -> Table:
    """What the map shows, the highest figure first."""
    asked, figures = found.asked, found.figures
    label = found.by_words
    columns = [
        Column("unit", _("Unit")),
        Column("code", _("Code"), narrow="hide"),
        Column("figure", found.when(found.month), "number", found.decimals, narrow="key"),
        Column("light", _("Light"), "light", say=band_words),
    ]
    if asked.beside:
        name = found.when(asked.beside)
        columns.append(Column("beside", name, "number", found.decimals))
        columns.append(Column("change", _("Change"), "number", found.decimals))
    tried = changed(found, timezone.localdate())
    if tried is not None:
        columns += [Column("ratio", _("Ratio"), say=str), Column("says", _("Beyond chance"))]
    at, other = figures.at(found.month), figures.at(asked.beside) if asked.beside else None
    rows = []
    for n, row in enumerate(found.rows):
        value = math.nan if at is None else float(figures.value[at, n])
        look = -1 if at is None else int(figures.look[at, n])
        band = figures.bands[look] if look >= 0 else drawing.NONE
        cells = [Cell(found.name(row), drawing.href_of(found, row)), row.code, value, band]
        if asked.beside:
            before = math.nan if other is None else float(figures.value[other, n])
            cells += [before, value - before]
        if tried is not None:
            cells += told(*(part[n] for part in (tried.ratio, tried.low, tried.high, tried.is_distinct)))
        rows.append(cells)
    rows.sort(key=lambda cells: (math.isnan(cells[2]), -cells[2] if not math.isnan(cells[2]) else 0, cells[1]))
    title = _("%(what)s by %(levels)s, the highest first") % {
        "what": label,
        "levels": words.level_name(found, found.steps),
    }
    return Table(title, columns, rows, _notes(found), id="areas", name=f"{found.reading.unit.code} {label}")


def _months_table(found: Atlas) -> Table:
    """All months as a file: a row a unit, a column a month."""
    figures = found.figures
    columns = [Column("code", _("Code")), Column("unit", _("Unit"))]
    columns += [Column(f"{month:%Y-%m}", f"{month:%Y-%m}", "number", found.decimals) for month in figures.months]
    rows = [[row.code, found.name(row), *figures.value[:, n].tolist()] for n, row in enumerate(found.rows)]
    name = f"{found.reading.unit.code} {found.by_words} {_('months')}"
    return Table(name, columns, rows, _notes(found), id="months", name=name)


def _notes(found: Atlas) -> list[tuple[str, str]]:
    notes = [(_("Unit"), found.reading.unit.local_name), *words.method(found)]
    if found.reading.is_simulated:
        notes.append(simulated_note())
    return notes
