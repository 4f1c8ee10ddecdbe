"""Why a light is red: the gap in parts that sum to it, each leading to a narrower reason or to the events behind it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents import conditions
from incidents.models import Factor, Kind
from indicators.models import Sensitivity
from scorecard import wording
from scorecard.addresses import asked_month
from scorecard.components import Crumb, Link
from scorecard.context import labelled
from scorecard.life import owners_unit
from scorecard.queries import CODE, sheets_of, shifted, unit_here
from scorecard.views.board import section_links
from scorecard.views.indicator import sheet_of
from scorecard.why import asked as ways
from scorecard.why import chance, waterfall
from scorecard.why.gaps import Figures, NoGapError, Why
from scorecard.why.parts import PARTS, Parts, events_href
from units.tables import respond_with


@require_safe
def why(request, code: str, indicator: str) -> HttpResponse:
    here = unit_here(request.user, code, month := asked_month(request), indicator)
    sheets = sheets_of(indicator) if CODE.fullmatch(indicator) else []
    if not sheets or (here.position is None and sheets[0].indicator.institution_id != here.unit.institution_id):
        raise Http404(_("There is no indicator %(code)s for this unit.") % {"code": indicator[:40]})
    month = month or here.latest or sheets[-1].valid_from
    sheet = sheet_of(sheets, month)
    if sheet.indicator.institution_id != here.unit.institution_id:  # cited: its owner's units hold the parts
        return _at_the_owner(request, here, sheet, month)
    figures = Figures(here, sheet, month)
    usual = figures.cell.usual_span if figures.cell else ways.MONTH
    asked = ways.read_address(request.GET, month, usual)
    if asked.by != ways.UNIT and not here.can_analyse:
        raise PermissionDenied(_("Events are told apart for those who may analyse in this unit."))
    try:
        gap = Why(figures, asked)
        parts = Parts(gap, sees_events=here.can_analyse, noted=chance.noted(gap, timezone.localdate()))
        if request.GET.get("format"):
            return respond_with(labelled(parts.table()), request)
        said = _told(request, parts)
    except NoGapError as none:
        if request.GET.get("format"):
            raise BadRequest(str(none)) from None
        told = {"indicator": sheet.local_name, "unit": here.unit.local_name}
        said = {"answer": _("%(indicator)s in %(unit)s cannot be told in parts here.") % told, "none": str(none)}
    return render(request, "scorecard/why.html", {**_frame(request, figures, asked), **said})


def _at_the_owner(request, here, sheet, month) -> HttpResponse:
    owner = owners_unit(here.unit, sheet.indicator, month)
    if owner is None or not here.sees(owner.path):
        raise Http404(_("The units that answer for %(code)s are not yours to see.") % {"code": sheet.indicator.code})
    query = request.GET.copy()
    query["month"] = f"{month:%Y-%m}"
    return HttpResponseRedirect(f"/why/{owner.code}/{sheet.indicator.code}/?{query.urlencode()}")


def _told(request, parts: Parts) -> dict[str, Any]:
    return {
        "answer": parts.answer(),
        "parts": parts,
        "bars": waterfall.bars(parts),
        "table": parts.table().offered_at(request),
        "method_items": parts.method(),
        "all_events": parts.all_events,
        "part_lists": [(words, f"{parts.all_events}&part={part}") for part, words in PARTS.items()]
        if parts.is_share and parts.all_events
        else [],
    }


def _frame(request, figures: Figures, asked: ways.Asked) -> dict[str, Any]:
    here, unit, sheet, month = figures.here, figures.unit, figures.sheet, figures.month
    code = sheet.indicator.code
    stepper = asked.query().replace(f"month={month:%Y-%m}", "month={month}")
    today = timezone.localdate()
    return {
        "unit": unit,
        "sheet": sheet,
        "month": month,
        "asked": asked,
        "kicker": f"{_('Why')} · {unit.local_name} · {code}",
        "crumbs": _crumbs(here, sheet, asked),
        "nav_items": section_links(unit.code, here="") if here.can_analyse else [],
        "stepper_href": f"/why/{unit.code}/{code}/?{stepper}",
        "first_month": shifted(month, -24),
        "last_month": max(here.latest or month, month),
        "cell_marks": figures.cell.of(asked.span).marks if figures.cell else None,
        "choices": _choices(here, asked),
        "variables": _variables(asked) if here.can_analyse else [],
        "is_running": asked.against == ways.LAST_YEAR and asked.start <= today < asked.end,
        "indicator_href": wording.indicator_href(unit.code, code, month),
        "events_href": events_href(unit.code, code, asked) if here.can_analyse else "",
    }


def _crumbs(here, sheet, asked) -> list[Crumb]:
    """The way down of the same question."""
    found, path = [], []
    for named in here.above:
        path.append(named.pk)
        href = f"/why/{named.code}/{sheet.indicator.code}/?{asked.query()}" if here.sees(path) else ""
        found.append(Crumb(named.local_name, href))
    return [*found, Crumb(sheet.local_name)]


def _choices(here, asked) -> list[tuple[str, list[Link]]]:
    def links(name, options):
        return [
            Link(label, f"?{asked.query(**{name: value})}", getattr(asked, name) == value) for value, label in options
        ]

    found = [
        (_("Against"), links("against", ((ways.TARGET, _("target")), (ways.LAST_YEAR, _("last year"))))),
        (_("Window"), links("span", ((ways.MONTH, _("month")), (ways.YEAR, _("year to date"))))),
    ]
    by = [(ways.UNIT, _("unit"))]
    if here.can_analyse:
        by += [(ways.CATEGORY, _("category")), (ways.HOUR, _("hour"))]
    return [*found, (_("By"), links("by", by))]


def _variables(asked) -> list[Link]:
    """What else events can be told apart by: what is not reserved."""
    factors = dict(Factor.choices)
    found = []
    for field, variable in conditions.variables_by_field().items():
        if variable.sensitivity != Sensitivity.RESERVED and variable.kind != Kind.COLUMN:
            label = f"{factors[variable.factor]}: {variable.local_name}".capitalize()
            chosen = asked.by == ways.VARIABLE and asked.field == field
            found.append(Link(label, f"?{asked.query(by=ways.VARIABLE, field=field)}", chosen))
    return sorted(found, key=lambda link: link.label)
