"""The scorecard of a unit and month: objectives with their lines, and the map of what is below."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from scorecard import classing, geometry, wording
from scorecard.addresses import asked_month
from scorecard.as_data import card_data, map_data
from scorecard.chance import changes_of, parts_of
from scorecard.components import Area, Cell, Column, Crumb, Link, Map, MapClass, Table
from scorecard.live import pages
from scorecard.live.ticket import for_card
from scorecard.queries import UnitHere, cards_of, shifted, unit_here
from scorecard.reading import OVERALL, Child, Reading, shown_attainment
from scorecard.views import exports
from scorecard.views.board import section_links
from units.tables import respond_with


def read_page(request, code: str) -> tuple[UnitHere, Reading | None]:
    """The unit and its cards of the month asked for, or of its latest; None where it has none at all."""
    by = request.GET.get("by") or OVERALL
    here = unit_here(request.user, code, month := asked_month(request), "" if by == OVERALL else by[:40])
    month = month or here.latest
    if month is None:
        return here, None
    return here, Reading(here, cards_of(here.unit, month, here.position), by)


@require_safe
def scorecard(request, code: str) -> HttpResponse:
    here, reading = read_page(request, code)
    if reading is None or reading.own is None:
        return _empty(request, here, reading)
    if request.GET.get("format"):
        return respond_with([exports.lines_table(reading), exports.children_table(reading)], request)
    granted = None if here.granted is None else sorted(here.granted)
    version = reading.cards.version, reading.asked, here.latest, granted, here.can_analyse, asked_classes(request)
    etag = pages.etag_of(*version, request.user.pk, timezone.localdate())
    ticket = for_card(user=request.user, unit=here.unit, month=reading.month)
    return pages.unchanged(request, etag) or pages.respond(
        request, "scorecard/scorecard.html", _context(request, reading), ticket=ticket, etag=etag
    )


def _context(request, reading: Reading) -> dict[str, Any]:
    here, month = reading.here, reading.month
    today = timezone.localdate()
    parts = parts_of(reading, today)
    return {
        **_frame(here, month, reading.by),
        "reading": reading,
        "own": reading.own,
        "answer": wording.answer(reading),
        "beside": " · ".join(filter(None, (wording.counts_words(reading), wording.children_words(reading)))),
        "unknown_by": "" if reading.asked in (OVERALL, reading.by) else reading.asked[:40],
        "objectives": wording.component_lines(reading, changes_of(reading, today), parts),
        "change_base": wording.change_base(reading, is_part=bool(parts)),
        "coverage": 100 * reading.own.coverage,
        "map": _map(reading, asked_classes(request)),
        "classings": _classings(reading, asked_classes(request)),
        "choices": _choices(reading),
        "chosen": wording.by_words(reading),
        "is_cited": reading.chosen is not None and not reading.chosen["own"],
        "csv_href": _file_href(request, "lines", "csv"),
        "xlsx_href": _file_href(request, "lines", "xlsx"),
        "method_items": wording.method(reading),
        "simulated": reading.is_simulated,
        "plans_href": "/manage/plans",
        "atlas_href": f"/map/{here.unit.code}/?{urlencode({'month': f'{month:%Y-%m}', 'by': reading.by})}",
    }


def _frame(here: UnitHere, month: date, by: str) -> dict[str, Any]:
    code = here.unit.code
    chosen = "" if by == OVERALL else f"&by={by}"
    return {
        "unit": here.unit,
        "month": month,
        "kicker": f"{here.unit.institution} · {code}",
        "crumbs": crumbs(here, month, by),
        "stepper_href": f"/units/{code}/?month={{month}}{chosen}",
        "nav_items": section_links(code, here="scorecard") if here.can_analyse else [],
        "first_month": shifted(month, -24),
        "last_month": max(here.latest or month, month),
    }


def crumbs(here: UnitHere, month: date, by: str) -> list[Crumb]:
    """The way down to the unit; units above that one may not see are named, and lead nowhere."""
    found, path = [], []
    for named in here.above:
        path.append(named.pk)
        href = wording.scorecard_href(named.code, month, by) if here.sees(path) else ""
        found.append(Crumb(named.local_name, href))
    if len(here.beside) > 1 and here.sees(path[:-1]):
        beside = [
            Link(one.local_name, wording.scorecard_href(one.code, month, by), one.pk == here.unit.pk)
            for one in here.beside
        ]
        found[-1] = found[-1]._replace(siblings=beside)
    return found


def _choices(reading: Reading) -> list[Link]:
    """What may colour the map: the overall score, or any line of the plan."""
    code, month = reading.unit.code, reading.month
    found = [Link(_("Overall score"), wording.scorecard_href(code, month), reading.chosen is None)]
    for line in reading.lines:
        about = line.about
        href = wording.scorecard_href(code, month, about["code"])
        found.append(Link(f"{about['number']} {line.name}", href, about["code"] == reading.by))
    return found


def _file_href(request, table: str, kind: str) -> str:
    query = request.GET.copy()
    query["table"], query["format"] = table, kind
    return f"{request.path}?{query.urlencode()}"


# The map -------------------------------------------------------------------------------------------------------------


def asked_classes(request) -> str:
    """How the map's figures are classed, as the address asks; "" for the lights."""
    asked = request.GET.get("classes", "")
    return asked if asked in classing.METHODS else ""


def _classings(reading: Reading, asked: str) -> list[Link]:
    """Lights, or classes of the figures: what may be drawn."""
    href = wording.scorecard_href(reading.unit.code, reading.month, reading.by)
    words = {
        "": _("lights"),
        "equal": _("equal steps"),
        "quantile": _("equal numbers"),
        "natural": _("natural breaks"),
    }
    return [Link(said, f"{href}&classes={name}" if name else href, name == asked) for name, said in words.items()]


def _classed(reading: Reading, areas: list[Area], method: str) -> list[MapClass]:
    """The classes of the areas' figures; each area is told its own."""
    values = {child.code: child.score if child.span is None else child.span.value for child in reading.children}
    least = classing.breaks([values.get(area.code, math.nan) for area in areas], method)
    for area in areas:
        area.level = classing.class_of(values.get(area.code), least)
    held = Counter(area.level for area in areas)
    decimals = reading.chosen["decimals"] if reading.chosen else 1
    return [MapClass(n, wording.class_words(least, n, decimals), held[n]) for n in range(1, len(least) + 1)]


def _map(reading: Reading, classes: str = "") -> Map:
    rows = geometry.drawn_rows(reading.cards)
    drawn = geometry.paths_of(rows)
    by_unit = {child.row.unit_id: child for child in reading.children}
    areas = [_area(reading, row, drawn.paths.get(row.unit_id), by_unit.get(row.unit_id)) for row in rows]
    areas = [area for area in areas if area.d]
    return Map(
        id="map",
        title=wording.by_words(reading),
        view_box=drawn.view_box,
        areas=areas,
        value_label=wording.by_words(reading),
        is_schematic=any(row.is_schematic for row in rows),
        note=geometry.note_on(rows),
        table=children_on_screen(reading) if reading.children else None,
        classes=_classed(reading, areas, classes) if classes else (),
    )


def _area(reading: Reading, row: Any, path: str | None, child: Child | None) -> Area:
    if child is None:
        return Area(row.code, reading.unit.local_name, path or "", reading.band, wording.number(row.score, 1))
    href = wording.scorecard_href(child.code, reading.month, reading.by)
    return Area(child.code, child.name, path or "", child.band, wording.child_figure(child, reading), href)


def children_on_screen(reading: Reading) -> Table:
    """The units below, worst first, as they stand beside the map."""
    chosen = reading.chosen
    columns = [Column(_("Units below, worst first"))]
    if chosen:
        label = wording.driver_words(reading.children[0].span is not None and chosen["light_by"])
        columns.append(Column(label.capitalize(), "number", "", chosen["decimals"]))
        columns.append(Column(_("Attained, %"), "number", "", 1))
    else:
        columns.append(Column(_("Score"), "number", "", 1))
        columns.append(Column(_("Coverage"), "percent", "", 0))
    columns.append(Column(_("Light"), "light"))
    code, month = reading.unit.code, reading.month
    base = wording.scorecard_href(code, month, reading.by)
    return Table(
        id="children",
        caption=wording.by_words(reading),
        columns=columns,
        rows=[_child_cells(child, reading) for child in reading.children],
        csv_href=f"{base}&table=children&format=csv",
        xlsx_href=f"{base}&table=children&format=xlsx",
        is_caption_hidden=True,
    )


def _child_cells(child: Child, reading: Reading) -> list[Any]:
    name = Cell(child.name, wording.scorecard_href(child.code, reading.month, reading.by))
    if child.span is None:
        return [name, child.score, 100 * child.row.coverage, child.band]
    return [name, child.span.value, shown_attainment(child.span, reading.chosen), child.band]


# Nothing to show -----------------------------------------------------------------------------------------------------


def _empty(request, here: UnitHere, reading: Reading | None) -> HttpResponse:
    """Why there is nothing, and what to do about it."""
    month = reading.month if reading else None
    context: dict[str, Any] = {"unit": here.unit, "kicker": f"{here.unit.institution} · {here.unit.code}"}
    if month is not None:
        context |= _frame(here, month, reading.by)
        said = {"unit": here.unit.local_name, "month": wording.month_name(month)}
        context["answer"] = _("There are no results of %(unit)s for %(month)s.") % said
        context["text"] = _("The unit did not stand in the tree that month, or no figure of the month has come in.")
    else:
        context["answer"] = _("There are no results of %(unit)s yet.") % {"unit": here.unit.local_name}
        context["text"] = _("They come as soon as a figure of its institution is entered or imported.")
    latest = here.latest or (_latest_of(request, here) if month is not None else None)
    if latest is not None and latest != month:
        context["href"] = wording.scorecard_href(here.unit.code, latest)
        context["action"] = _("See %(month)s, the latest") % {"month": wording.month_name(latest)}
    return render(request, "scorecard/scorecard_empty.html", context)


def _latest_of(request, here: UnitHere) -> date | None:
    return unit_here(request.user, here.unit.code).latest


# As data -------------------------------------------------------------------------------------------------------------


def _json(request, reading: Reading, make) -> HttpResponse:
    """Data of the page, with an ETag of all that it shows: what has not changed is not made again."""
    etag = f'"{reading.cards.version}-{reading.by}-{get_language()}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = JsonResponse(make(reading))
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _read_or_404(request, code: str) -> Reading:
    here, reading = read_page(request, code)
    if reading is None or reading.own is None:
        raise Http404(_("There are no results of %(unit)s for this month.") % {"unit": here.unit.local_name})
    return reading


@require_safe
def card_json(request, code: str) -> HttpResponse:
    """The same card as data."""
    return _json(request, _read_or_404(request, code), card_data)


@require_safe
def map_json(request, code: str) -> HttpResponse:
    """What colours the map: a row a unit below, columns named once."""
    return _json(request, _read_or_404(request, code), map_data)
