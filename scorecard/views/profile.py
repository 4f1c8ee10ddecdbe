"""The criminogenic profile of a unit's events: what is peculiar to them, in sentences that rest on their figures."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents.hotspots import read
from scorecard.components import Crumb, Link
from scorecard.context import labelled
from scorecard.hotspots import choices, words
from scorecard.hotspots.asked import read_address
from scorecard.hotspots.spots import cell_of
from scorecard.hotspots.words import WEEKDAYS
from scorecard.profile import summary, tables
from scorecard.profile.reading import LAST_YEAR, REST, Profile
from scorecard.queries import CODE
from scorecard.views.board import section_links
from units.models import Unit
from units.permissions import Permission, shared_by_place, unit_or_404
from units.tables import respond_with


@require_safe
@shared_by_place
def profile(request, code: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    today = timezone.localdate()
    asked = read_address(request.GET, lambda: read.latest_day() or today)
    against = request.GET.get("against") or REST
    if against not in (REST, LAST_YEAR):
        raise BadRequest(_("A profile stands beside the rest of the territory above, or last year."))
    if unit.territory is None:
        answer = _("%(unit)s covers no territory, so no event can be placed in it.") % {"unit": unit.local_name}
        bare = {"answer": answer, "answer_anchor": "", "found": None, "method_items": []}
        return render(request, "scorecard/profile.html", {**_frame(request, unit, asked), **bare})
    found = Profile(unit, asked, against, cell_of(unit, asked, timezone.now()))
    if request.GET.get("format"):
        return respond_with(labelled(tables.files(found)), request)
    return render(request, "scorecard/profile.html", {**_frame(request, unit, asked), **_told(request, found)})


def _told(request, found: Profile) -> dict[str, Any]:
    said = summary.sentences(found)
    asked = found.asked
    ways = [(LAST_YEAR, _("the same days a year before"))]
    if found.above is not None:
        ways.insert(0, (REST, _("the rest of %(unit)s") % {"unit": found.above.local_name}))
    context = {
        "found": found,
        "answer": said[0].text if said else _no_events(found),
        "answer_anchor": said[0].anchor if said else "",
        "sentences": said[1:],
        "against": [Link(label, f"?{asked.query()}&against={way}", way == found.against) for way, label in ways],
        "chosen": found.against,
        "form": choices.of_form(asked),
        "kept": choices.kept(asked),
        "spot": asked.spot and "{:.5f},{:.5f}".format(*asked.spot),
        "cell": found.cell and words.one_cell(found.cell),
        "asked": asked,
        "method_items": tables.method(found),
        "filters": words.filters(asked),
        "incidents_href": f"/incidents/{found.unit.code}/?{asked.query()}",
        "hotspots_href": f"/hotspots/{found.unit.code}/?{asked.query()}",
    }
    if not said:
        return context | {"rows": [], "warnings": []}
    return context | {
        "warnings": summary.warnings(found),
        "rows": tables.rows(found),
        "totals": tables.totals(found).offered_at(request),
        "compared": tables.compared(found).offered_at(request),
        "clock": tables.clock(found).offered_at(request),
        "shades": tables.shades(found),
        "weekdays": [str(name) for name in WEEKDAYS],
        "without_hour": tables.told(found.clock[1]),
        "pyramid": tables.pyramid(found),
        "pyramid_table": (made := tables.pyramid_table(found)) and made.offered_at(request),
        "crossings": [table.offered_at(request) for table in tables.crossings(found)],
        "series": tables.series(found).offered_at(request),
        "pairs": tables.pairs(found),
    }


def _no_events(found: Profile) -> str:
    said = {"unit": words.place(found.unit, found.cell), "span": words.span(found.asked)}
    return _("No incident in %(unit)s, %(span)s.") % said


def _frame(request, unit: Unit, asked) -> dict[str, Any]:
    above = Unit.objects.filter(pk__in=unit.path)
    query = asked.query(spot=None, bandwidth=None, cell=None)
    mine = set(above.visible_to(request.user, Permission.ANALYSE).values_list("pk", flat=True))
    return {
        "unit": unit,
        "kicker": f"{_('Profile')} · {unit.institution} · {unit.code}",
        "crumbs": [
            Crumb(one.local_name, f"/profile/{one.code}/?{query}" if one.pk in mine else "")
            for one in above.in_tree_order()
        ],
        "nav_items": choices.with_query(section_links(unit.code, here="profile"), asked),
    }
