"""Pages of assignments: which indicator is due of which unit, from when, many units at once."""

from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, Q
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from indicators import sheets
from indicators.forms import AssignForm, EndAssignmentForm, planned_units
from indicators.models import Assignment, Indicator
from indicators.views.manage_sheets import must_plan, sheet_href
from units.models import Unit
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

PAGE = 100


def assignments(request):
    """What is due of whom: a line an indicator, or every unit of one."""
    must_plan(request.user)
    code, query = request.GET.get("indicator", "").strip(), request.GET.get("q", "").strip()
    mine = Assignment.objects.filter(unit__in=planned_units(request.user))
    if query:
        mine = mine.filter(
            Q(unit__code__icontains=query) | Q(unit__name__icontains=query) | Q(indicator__code__icontains=query)
        )
    if code:
        mine = mine.filter(indicator__code=code)
    rows = _each(mine) if code or query else _by_indicator(mine)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    draw = _unit_table if code or query else _indicator_table
    table = draw(rows if request.GET.get("format") else page, _notes(code, query))
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **manage_frame(request, "assignments", *([code] if code else [])),
        "q": query,
        "code": code,
        "table": table.offered_at(request),
        "page": page,
        "query": rest.urlencode(),
    }
    return render(request, "indicators/manage/assignments.html", context)


def _notes(code, query):
    return [note for note in ((_("Indicator"), code), (_("Search"), query)) if note[1]]


def _by_indicator(mine):
    return (
        mine.values("indicator__code", "indicator__institution__code")
        .annotate(
            due=Count("pk", filter=Q(to_month=None)),
            ended=Count("pk", filter=Q(to_month__isnull=False)),
            first=Min("from_month"),
            last=Max("to_month"),
        )
        .order_by("indicator__code")
    )


def _each(mine):
    return mine.select_related("indicator", "unit").order_by("indicator__code", "unit__code", "from_month")


def _indicator_table(rows, notes):
    columns = [
        Column("indicator", _("Indicator")),
        Column("due", _("Units due"), "number", 0),
        Column("ended", _("Ended"), "number", 0),
        Column("first", _("First month"), "month"),
    ]
    listed = [
        [
            Cell(row["indicator__code"], f"{reverse('manage-assignments')}?indicator={row['indicator__code']}"),
            row["due"],
            row["ended"],
            row["first"],
        ]
        for row in rows
    ]
    empty = _("Nothing is assigned yet.")
    return Table(_("Assignments"), columns, listed, notes, id="assignments", name="assignments", empty=empty)


def _unit_table(rows, notes):
    columns = [
        Column("unit", _("Unit")),
        Column("code", _("Code")),
        Column("indicator", _("Indicator")),
        Column("from", _("From month"), "month"),
        Column("to", _("Until month, not included"), "month"),
    ]
    listed = [
        [
            row.unit.local_name,
            row.unit.code,
            Cell(row.indicator.code, sheet_href(row.indicator)),
            row.from_month,
            row.to_month,
        ]
        for row in rows
    ]
    empty = _("Nothing is assigned so.")
    return Table(_("Assignments"), columns, listed, notes, id="assignments", name="assignments", empty=empty)


def _initial(request):
    code, below = request.GET.get("indicator", ""), request.GET.get("below", "")
    planned = planned_units(request.user)
    indicator = Indicator.objects.filter(code=code, institution__in=planned.values("institution")).first()
    unit = planned.filter(code=below).first()
    if unit is None and indicator is not None:
        unit = planned.filter(institution=indicator.institution).order_by("path").first()
    return {"indicator": indicator, "below": unit}


def _back(request):
    code = request.GET.get("indicator")
    return reverse("manage-assignments") + (f"?indicator={code}" if code else "")


def assign(request):
    """An indicator becomes due of many units."""
    must_plan(request.user)
    form = AssignForm(request.POST or None, by=request.user, initial=_initial(request))

    def act(*, reason, now):
        given = form.cleaned_data
        units = form.units(given["from_month"])
        return sheets.assign(
            by=request.user,
            indicator=given["indicator"],
            units=units,
            from_month=given["from_month"],
            to_month=given["to_month"],
            now=now,
            reason=reason,
        )

    def done(made):
        count = len(made.created)
        said = ngettext("%(n)s unit is newly due.", "%(n)s units are newly due.", count) % {"n": count}
        if made.already:
            said += " " + _("%(n)s were already.") % {"n": len(made.already)}
        return said, f"{reverse('manage-assignments')}?indicator={form.cleaned_data['indicator'].code}"

    return change(
        request,
        form=form,
        act=act,
        done=done,
        title=_("Assign an indicator to units"),
        frame=manage_frame(request, "assignments", _("Assign")),
        back=_back(request),
    )


def end(request):
    """An indicator stops being due of many units."""
    must_plan(request.user)
    form = EndAssignmentForm(request.POST or None, by=request.user, initial=_initial(request))

    def act(*, reason, now):
        given = form.cleaned_data
        units = Unit.objects.filter(pk__in=[unit.pk for unit in form.units(given["to_month"])])
        return sheets.end_assignments(
            by=request.user,
            indicator=given["indicator"],
            units=units,
            to_month=given["to_month"],
            now=now,
            reason=reason,
        )

    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (_("It is no longer due from that month on."), _back(request)),
        title=_("End assignments"),
        frame=manage_frame(request, "assignments", _("End")),
        back=_back(request),
        wants_reason=True,
    )
