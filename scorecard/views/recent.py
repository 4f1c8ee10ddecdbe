"""The last 28 days of a unit's events as CompStat shows them, a control chart, and units of like population."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents.hotspots import read
from incidents.models import Category
from scorecard.components import Crumb
from scorecard.context import labelled
from scorecard.hotspots import choices
from scorecard.hotspots.asked import FIRST_YEAR, LAST_YEAR
from scorecard.queries import CODE
from scorecard.recent import tables
from scorecard.recent.reading import Recent
from scorecard.views.board import section_links
from units.models import Unit
from units.permissions import Permission, shared_by_place, unit_or_404
from units.tables import respond_with


@require_safe
@shared_by_place
def recent(request, code: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    last, category = _last(request.GET.get("last")), _category(request.GET.get("category"))
    if unit.territory is None:
        answer = _("%(unit)s covers no territory, so no event can be placed in it.") % {"unit": unit.local_name}
        return render(
            request, "scorecard/recent.html", {**_frame(request, unit, last), "answer": answer, "found": None}
        )
    found = Recent(unit, last, category)
    if request.GET.get("format"):
        return respond_with(labelled(_files(request, found)), request)
    return render(request, "scorecard/recent.html", {**_frame(request, unit, last), **_told(request, found)})


def _files(request, found: Recent):
    yield tables.compared(found)
    yield tables.control(found)
    yield tables.peers(found, _seen(request.user, found))


def _told(request, found: Recent) -> dict[str, Any]:
    own = found.own
    return {
        "found": found,
        "answer": tables.answer(found),
        "moved": tables.moved(found),
        "compared": tables.compared(found).offered_at(request),
        "control": tables.control(found).offered_at(request),
        "drawn": tables.drawn(found),
        "peers": tables.peers(found, _seen(request.user, found)).offered_at(request) if own else None,
        "decile": found.decile(own) if own else None,
        "rate_ends": tables.rate_ends(own) if own else "",
        "decile_ends": tables.decile_ends(found, own) if own else "",
        "of_level": len(found.of_level) if own else 0,
        "categories": [
            choices.Option(one.code, "\u2003" * depth + one.local_name, one == found.category)
            for depth, one in choices.in_tree(list(Category.objects.order_by("code")))
        ],
        "method_items": tables.notes(found),
        "method_text": "",
    }


def _seen(user, found: Recent) -> set[int]:
    """Which of the units alike the person may analyse."""
    asked = Unit.objects.filter(pk__in=[one.unit.pk for one in found.peers])
    return set(asked.visible_to(user, Permission.ANALYSE).values_list("pk", flat=True))


def _frame(request, unit: Unit, last: date) -> dict[str, Any]:
    above = Unit.objects.filter(pk__in=unit.path)
    mine = set(above.visible_to(request.user, Permission.ANALYSE).values_list("pk", flat=True))
    return {
        "unit": unit,
        "last": last,
        "kicker": f"{_('28 days')} · {unit.institution} · {unit.code}",
        "crumbs": [
            Crumb(one.local_name, f"/recent/{one.code}/?last={last}" if one.pk in mine else "")
            for one in above.in_tree_order()
        ],
        "nav_items": section_links(unit.code, here="recent"),
    }


def _last(text) -> date:
    """The last day shown; by itself the latest that is over and has events."""
    if not text:
        yesterday = timezone.localdate() - timedelta(days=1)
        return min(read.latest_day() or yesterday, yesterday)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(_("A day is written as 2023-12-31.")) from None
    if not FIRST_YEAR + 4 <= found.year <= LAST_YEAR:
        raise BadRequest(_("There are no events of that year."))
    return found


def _category(code) -> Category | None:
    if not code:
        return None
    found = None if "\x00" in code else Category.objects.filter(code=code).first()
    if found is None:
        raise BadRequest(_("There is no such category."))
    return found
