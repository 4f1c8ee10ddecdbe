"""The incidents of a unit's territory one by one, filtered by the address, and the life of one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from incidents import behind
from incidents.hotspots import read
from incidents.life import life_of
from incidents.listing import Listing
from incidents.models import Category
from indicators.models import Indicator
from scorecard import wording
from scorecard.components import Crumb
from scorecard.context import labelled
from scorecard.hotspots import choices, words
from scorecard.hotspots.asked import Asked, read_address, selection
from scorecard.hotspots.spots import cell_of
from scorecard.queries import CODE
from scorecard.views.board import section_links
from scorecard.why import incident_tables
from scorecard.why.parts import IN, OUT, PARTS
from units.models import Unit
from units.permissions import Permission, shared_by_place, unit_or_404
from units.tables import respond_with

PAGE = 50
OWN = ("indicator", "part", "only", "no_hour")  # what the address may say beside what hot spots take


class Asking:
    """What the address asks for: the selection of hot spots, and an indicator whose events alone are wanted.

    A list that names no last day goes up to the latest event, and its links to other pages say so.
    """

    def __init__(self, request, unit: Unit):
        self.unit, self.given = unit, request.GET
        if not self.given.get("last"):
            self.given = request.GET.copy()
            self.given["last"] = (read.latest_day() or timezone.localdate()).isoformat()
        self.asked: Asked = read_address(self.given, timezone.localdate)
        self.is_only, self.no_hour = bool(request.GET.get("only")), bool(request.GET.get("no_hour"))
        self.indicator = _indicator(request.GET.get("indicator", ""))
        self.part = _part(request.GET.get("part", "")) if self.indicator else None
        self.cell = cell_of(unit, self.asked, timezone.now())

    @property
    def query(self) -> str:
        """The address's own part, without the page."""
        return self._without("page")

    @property
    def elsewhere(self) -> str:
        """The same question of another territory, which has no such cell."""
        return self._without("page", "spot", "cell", "bandwidth")

    def _without(self, *names: str) -> str:
        query = self.given.copy()
        for name in names:
            query.pop(name, None)
        return query.urlencode()

    def listing(self) -> Listing:
        asked, such, values = self.asked, [], []
        if self.indicator:
            end = read.next_day(asked.last)
            rules = behind.rules_in(self.indicator, asked.first, end)
            clause, given = behind.where(behind.spans(rules, self.unit, asked.first, end), self.part)
            such.append(clause)
            values += given
        if self.no_hour:
            such.append("i.occurred_at IS NULL")
        territories = None if self.indicator else read.below(self.unit.territory)
        taken = replace(selection(asked, territories), box=self.cell.box if self.cell else None)
        if self.is_only and asked.category:
            taken = replace(taken, categories=(Category.objects.get(code=asked.category).pk,))
        return Listing(taken, (" AND ".join(such) or "true", values))

    def notes(self) -> list[tuple[str, str]]:
        """What was asked for, as (term, words): on the page and on its files."""
        found = [
            (_("Unit"), f"{self.unit.code} {self.unit.local_name}"),
            (_("Window"), words.span(self.asked)),
            (_("Filters"), words.filters(self.asked) + (f"; {_('hour not stated')}" if self.no_hour else "")),
        ]
        if self.indicator:
            found.insert(
                1,
                (
                    _("Counted by"),
                    f"{self.indicator.code} {self.sheet_name}" + (f"; {self.part_words}" if self.part_value else ""),
                ),
            )
        if self.cell:
            found.insert(1, (_("Cell"), words.one_cell(self.cell)))
        return found

    @property
    def part_value(self) -> str:
        return "" if self.part is None else IN if self.part else OUT

    @property
    def part_words(self) -> str:
        return str(PARTS.get(self.part_value, ""))

    @property
    def sheet_name(self) -> str:
        sheet = self.indicator.sheets.order_by("-version").first()
        return sheet.local_name if sheet else ""


def _indicator(code: str) -> Indicator | None:
    if not code:
        return None
    found = Indicator.objects.filter(code=code).first() if CODE.fullmatch(code) else None
    if found is None:
        raise BadRequest(_("There is no such indicator."))
    return found


def _part(text: str) -> bool | None:
    """Of a share: the events that count above, or those that do not; None for all."""
    if text not in ("", *PARTS):
        raise BadRequest(_("Of a share, part=in lists what counts, part=out what does not."))
    return text == IN if text else None


@require_safe
@shared_by_place
def incidents(request, code: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    if unit.territory is None:
        answer = _("%(unit)s covers no territory, so no event can be placed in it.") % {"unit": unit.local_name}
        return render(
            request,
            "scorecard/incidents.html",
            {**_frame(request, unit, ""), "answer": answer, "asking": None, "beside": ""},
        )
    asking = Asking(request, unit)
    listing = asking.listing()
    if request.GET.get("format"):
        return respond_with(labelled(_files(request, asking, listing)), request)
    return render(request, "scorecard/incidents.html", _context(request, asking, listing))


def _files(request, asking: Asking, listing: Listing):
    """The table, made when it is asked for."""
    yield incident_tables.as_file(listing, request.user, asking.notes(), f"{asking.unit.code} incidents")


class _Counted:
    """So many objects that nobody reads here: a paginator slices them."""

    def __init__(self, n: int):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, at):
        return range(self.n)[at]


def _context(request, asking: Asking, listing: Listing) -> dict[str, Any]:
    unit, asked = asking.unit, asking.asked
    n = listing.count()
    page = Paginator(_Counted(n), PAGE).get_page(request.GET.get("page"))
    held = listing.page(request.user, PAGE, (page.number - 1) * PAGE)
    said = {"n": wording.number(n, 0), "unit": words.place(unit, asking.cell), "span": words.span(asked)}
    answer = ngettext("%(n)s incident in %(unit)s, %(span)s.", "%(n)s incidents in %(unit)s, %(span)s.", n) % said
    return {
        **_frame(request, unit, asking.elsewhere),
        "nav_items": choices.with_query(section_links(unit.code, here="incidents"), asked),
        "answer": answer if n else _("No incident in %(unit)s, %(span)s.") % said,
        "beside": "; ".join(text for term, text in asking.notes()[1:] if term not in (_("Window"), _("Cell"))),
        "asked": asked,
        "asking": asking,
        "form": choices.of_form(asked),
        "kept": choices.kept(asked),
        "spot": asked.spot and "{:.5f},{:.5f}".format(*asked.spot),
        "cell": asking.cell and words.one_cell(asking.cell),
        "table": incident_tables.on_screen(held, request.user, unit.code).offered_at(request) if held else None,
        "page": page,
        "query": asking.query,
        "hotspots_href": f"/hotspots/{unit.code}/?{asked.query()}",
        "profile_href": f"/profile/{unit.code}/?{asked.query()}",
    }


def _frame(request, unit: Unit, query: str) -> dict[str, Any]:
    above = Unit.objects.filter(pk__in=unit.path)
    mine = set(above.visible_to(request.user, Permission.ANALYSE).values_list("pk", flat=True))
    return {
        "unit": unit,
        "kicker": f"{_('Incidents')} · {unit.institution} · {unit.code}",
        "crumbs": [
            Crumb(one.local_name, f"/incidents/{one.code}/?{query}" if one.pk in mine else "")
            for one in above.in_tree_order()
        ],
        "nav_items": section_links(unit.code, here="incidents"),
    }


@require_safe
@shared_by_place
def incident(request, code: str, pk: int) -> HttpResponse:
    """The life of one incident: as it stands, and each account of it that was replaced."""
    unit = unit_or_404(request.user, Permission.ANALYSE, code if CODE.fullmatch(code) else "")
    life = life_of(pk, request.user) if pk < 1 << 63 else None
    if life is None:
        raise Http404(_("There is no such incident that you may see."))
    said = {"category": life["category_name"], "place": life["territory_name"] or _("an unknown place")}
    said["day"] = incident_tables.day_words(life)
    answer = _("%(category)s, %(day)s, %(place)s") % said
    facts, people = incident_tables.told(life)
    context = {
        **_frame(request, unit, ""),
        "answer": answer,
        "life": life,
        "facts": facts,
        "people": people,
        "revisions": incident_tables.revisions(life),
        "list_href": f"/incidents/{unit.code}/",
    }
    return render(request, "scorecard/incident.html", context)
