"""The live board of a unit: events of the last hours in its territory, for those who may analyse there."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from scorecard import board as boards
from scorecard import board_words
from scorecard.components import Crumb, Link
from scorecard.context import labelled
from scorecard.live import pages
from scorecard.live.ticket import for_board
from scorecard.queries import CODE
from units.models import Unit
from units.permissions import Permission, unit_or_404
from units.tables import respond_with

USUAL_HOURS = 6


def asked_hours(request) -> int:
    """The hours of the address; not found where they are none that the page offers."""
    text = request.GET.get("hours", "") or str(USUAL_HOURS)
    if text not in map(str, boards.HOURS):
        raise Http404(_("The board shows the last 1, 6 or 24 hours."))
    return int(text)


@require_safe
def board(request, code: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    hours = asked_hours(request)
    if unit.territory is None:
        return render(request, "scorecard/board_empty.html", _frame(request, unit, hours))
    found = boards.Board(unit, hours, timezone.now())
    if request.GET.get("format"):
        return respond_with(labelled(found.file()), request)
    ticket = for_board(user=request.user, unit=unit)
    return pages.respond(request, "scorecard/board.html", _context(request, found), ticket=ticket)


def _frame(request, unit: Unit, hours: int) -> dict[str, Any]:
    return {
        "unit": unit,
        "kicker": f"{_('Live board')} · {unit.institution} · {unit.code}",
        "crumbs": _crumbs(request, unit, hours),
        "nav_items": section_links(unit.code, here="board"),
    }


def section_links(code: str, *, here: str) -> list[Link]:
    """The pages of a unit that those have who may analyse there; here: the one that is open."""
    pages = {
        "scorecard": (_("Scorecard"), f"/units/{code}/"),
        "atlas": (_("Map"), f"/map/{code}/"),
        "board": (_("Live board"), f"/board/{code}/"),
        "hotspots": (_("Hot spots"), f"/hotspots/{code}/"),
        "recent": (_("28 days"), f"/recent/{code}/"),
        "incidents": (_("Incidents"), f"/incidents/{code}/"),
        "profile": (_("Profile"), f"/profile/{code}/"),
    }
    return [Link(label, href, name == here) for name, (label, href) in pages.items()]


def _crumbs(request, unit: Unit, hours: int) -> list[Crumb]:
    """The way down; it leads where the person may analyse, which what lies below such a unit always is."""
    above = Unit.objects.filter(pk__in=unit.path)
    mine = set(above.visible_to(request.user, Permission.ANALYSE).values_list("pk", flat=True))
    return [
        Crumb(one.local_name, f"/board/{one.code}/?hours={hours}" if one.pk in mine else "")
        for one in above.in_tree_order()
    ]


def _context(request, found: boards.Board) -> dict[str, Any]:
    rows, drawn = found.drawn
    file = f"/board/{found.unit.code}/?hours={found.hours}&format="
    return {
        **_frame(request, found.unit, found.hours),
        "board": found,
        "answer": board_words.answer(found),
        "since": board_words.since(found),
        "choices": [_choice(found, hours) for hours in boards.HOURS],
        "view_box": drawn.view_box,
        "is_schematic": bool(rows) and boards.is_schematic(rows),
        "csv_href": f"{file}csv",
        "xlsx_href": f"{file}xlsx",
        "method_text": board_words.method(),
        "method_items": [],
    }


def _choice(found: boards.Board, hours: int) -> Link:
    label = _("Last hour") if hours == 1 else _("Last %(n)s hours") % {"n": hours}
    return Link(label, f"/board/{found.unit.code}/?hours={hours}", hours == found.hours)
