"""Hot spots of a unit's territory: the map, its hottest cells as a table, near repeats, and one cell's events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents.hotspots import read
from scorecard import board as boards
from scorecard.components import Crumb
from scorecard.context import labelled
from scorecard.hotspots import cautions, choices, drawing, events, place, tables, words
from scorecard.hotspots.asked import EVENTS, Asked, read_address
from scorecard.hotspots.cell import OpenedCell
from scorecard.hotspots.spots import Spots
from scorecard.queries import CODE
from scorecard.views.board import section_links
from units.models import Unit
from units.permissions import Permission, shared_by_place, unit_or_404
from units.tables import respond_with


@require_safe
@shared_by_place
def hotspots(request, code: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    today = timezone.localdate()
    asked = read_address(request.GET, lambda: read.latest_day() or today)
    if unit.territory is None:
        return render(request, "scorecard/hotspots_empty.html", _frame(request, unit, asked))
    spots = Spots(unit, asked, timezone.now())
    if request.GET.get("format"):
        return respond_with(labelled(_files(spots)), request)
    text = place.sought(request.GET)
    places = place.places_in(request.user, unit, text) if text else []
    if len(places) == 1:
        return redirect(_hotspots_of(places[0], asked))
    context = {**_context(request, spots), "place": text, "places": _links(places[: place.SHOWN], asked)}
    return render(request, "scorecard/hotspots.html", context)


@require_safe
@shared_by_place
def points(request, code: str) -> HttpResponse:
    """The points of the events that the address asks for, as events.packed has them."""
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    today = timezone.localdate()
    asked = replace(read_address(request.GET, lambda: read.latest_day() or today), method=EVENTS)
    packed = events.packed(Spots(unit, asked, timezone.now())) if unit.territory else b""
    return HttpResponse(packed, content_type="application/octet-stream", headers={"Cache-Control": "private, no-cache"})


def _files(spots: Spots):
    """Every table of the page, made when it is asked for."""
    yield tables.as_file(spots, tables.names_of(spots.places.values()))
    if spots.asked.near and not spots.is_too_few:
        yield tables.knox(spots)
    if (spots.asked.test or spots.is_chosen_by_test) and spots.tested is not None:
        yield tables.tested_file(spots)
    if spots.opened is not None:
        yield OpenedCell(spots).as_file()


def _frame(request, unit: Unit, asked: Asked) -> dict[str, Any]:
    return {
        "unit": unit,
        "kicker": f"{_('Hot spots')} · {unit.institution} · {unit.code}",
        "crumbs": _crumbs(request, unit, asked),
        "nav_items": choices.with_query(section_links(unit.code, here="hotspots"), replace(asked, spot=None)),
        "events_query": asked.query(spot=None, near=False, test=False),
    }


def _crumbs(request, unit: Unit, asked: Asked) -> list[Crumb]:
    """The way down, the address's own part kept; it leads where the person may analyse."""
    above = Unit.objects.filter(pk__in=unit.path)
    mine = set(above.visible_to(request.user, Permission.ANALYSE).values_list("pk", flat=True))
    query = _elsewhere(asked)
    return [
        Crumb(one.local_name, f"/hotspots/{one.code}/?{query}" if one.pk in mine else "")
        for one in above.in_tree_order()
    ]


def _elsewhere(asked: Asked) -> str:
    """The same question of another territory: its own bandwidth, cells and no cell opened."""
    return asked.query(spot=None, bandwidth=None, cell=None)


def _hotspots_of(unit: Unit, asked: Asked) -> str:
    return f"/hotspots/{unit.code}/?{_elsewhere(asked)}"


def _links(units, asked: Asked) -> list[tuple[str, str]]:
    return [(one.local_name, _hotspots_of(one, asked)) for one in units]


def _context(request, spots: Spots) -> dict[str, Any]:
    asked, unit = spots.asked, spots.unit
    rows, drawn = spots.drawn
    opened = OpenedCell(spots) if spots.opened is not None else None
    names = tables.names_of(spots.places.values())
    return {
        **_frame(request, unit, asked),
        "spots": spots,
        "asked": asked,
        "answer": words.answer(spots),
        "warnings": cautions.warnings(spots),
        "form": choices.of_form(asked),
        "bars": choices.strip(spots),
        "steps": choices.steps(spots),
        "bandwidth": round(spots.bandwidth),
        "cell_words": words.metres(spots.cell),
        "title": _("%(method)s, %(span)s")
        % {"method": words.METHODS[EVENTS if spots.are_events_drawn else spots.method], "span": words.span(asked)},
        "points": events.drawing(spots) if spots.are_events_drawn and len(spots.points) else None,
        "map": _map(spots, drawn, names),
        "boundaries": list(drawn.paths.values()),
        "is_schematic": bool(rows) and boards.is_schematic(rows),
        "table": tables.cells(spots, names).offered_at(request),
        "near_href": f"?{asked.query(near=True)}#near",
        "near": _near(request, spots) if asked.near else None,
        "test_href": f"?{asked.query(test=True)}#tested",
        "tested": _tested(request, spots) if asked.test or spots.is_chosen_by_test else None,
        "score": tables.score_words(spots),
        "opened": opened,
        "opened_table": opened and opened.table().offered_at(request),
        "below": _below(spots),
        "place_keeps": parse_qsl(_elsewhere(asked)),
        "method_items": words.method_items(spots),
        "method_text": "",
    }


def _map(spots: Spots, drawn, names) -> dict[str, Any]:
    """What is drawn over the boundaries: a path a class, the outline of what is hot, links of the hottest cells."""
    classes = words.classes(spots)
    level = spots.emerging.change if spots.method == "emerging" else spots.found.surface.level
    layers = drawing.layers(level, {one.level: one.name for one in classes})
    counts = {layer.name: layer.cells for layer in layers}
    frame = drawn.frame
    return {
        "view_box": drawn.view_box,
        "placed": drawing.placed(spots.grid, frame),
        "texture": drawing.texture(spots.grid, frame) if spots.method == "emerging" else "",
        "layers": layers,
        "outline": "" if spots.method == "emerging" else drawing.outline(spots.found.surface.is_hot),
        "legend": [(one.name, one.words, counts.get(one.name, 0)) for one in classes],
        "links": [_link(spots, frame, rank, cell, names) for rank, cell in enumerate(spots.hottest, start=1)],
        "opened": drawing.square_in(spots.box_of(spots.opened), frame) if spots.opened is not None else "",
        "frame": frame,
        "spot_href": f"?{spots.asked.query(spot=None)}&spot=",
    }


def _link(spots: Spots, frame, rank: int, cell: int, names) -> dict[str, Any]:
    said = {
        "rank": rank,
        "events": int(spots.found.counts.flat[cell]),
        "class": words.class_of(spots, cell),
        "place": names.get(spots.places.get(cell, 0), ""),
    }
    return {
        "code": cell,
        "href": f"?{spots.asked.query(spot=spots.spot_of(cell))}#cell",
        "label": _("%(rank)s: %(place)s, events: %(events)s, %(class)s") % said,
        "path": drawing.square_in(spots.box_of(cell), frame),
    }


def _near(request, spots: Spots) -> dict[str, Any]:
    if spots.is_too_few:
        return {"words": _("There are too few events to test whether they are followed by others nearby.")}
    return {"words": tables.knox_words(spots), "table": tables.knox(spots).offered_at(request)}


def _tested(request, spots: Spots) -> dict[str, Any]:
    if spots.tested is None:
        return {"words": _("The window is too short or has too few events to hold methods against what came next.")}
    return {
        "words": tables.tested_words(spots),
        "href": f"?{tables.drawn_by(spots, spots.tested.winner)}",
        "table": tables.tested(spots).offered_at(request),
    }


def _below(spots: Spots) -> list[tuple[str, str]]:
    """(name, href) of the units below that have a territory of their own."""
    below = Unit.objects.filter(parent=spots.unit, territory__isnull=False).exclude(territory=spots.unit.territory_id)
    return _links(below.order_by("code"), spots.asked)
