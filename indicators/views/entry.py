"""The entry page of a unit and month, saved cell by cell or whole; and the page on which figures are approved."""

from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from indicators import actions, entry, entry_cell, months, queries
from units.models import Unit
from units.permissions import Permission, unit_or_404, verbs_in
from units.views.frame import Crumb, Link

UNITS_A_PAGE = 20
YEARS = 1900, 2200  # of months that an address may name
APPROVED_AT_ONCE = 200


# Where and when ------------------------------------------------------------------------------------------------------


def asked_month(request, unit, today):
    """The month in the address; without one, the month that entry opens with."""
    given = request.GET.get("month", "")
    if not given:
        return entry.default_month(queries.latest_figure_month(unit.institution), today)
    try:
        month = months.parse_month(given)
        if not YEARS[0] <= month.year <= YEARS[1]:
            raise ValueError(given)
    except ValueError as error:
        raise BadRequest(_("%(text)s is not a month: write it as 2023-10.") % {"text": given[:20]}) from error
    return month


def frame(request, unit, month, current):
    """What stands around both pages: the way up, and the tabs between a unit's pages."""
    above = Unit.objects.filter(pk__in=unit.path).visible_to(request.user).order_by("path")
    at = f"?month={months.format_month(month)}"
    crumbs = [Crumb(one.local_name, reverse("scorecard", args=[one.code]) + at) for one in above]
    verbs = verbs_in(request.user, unit)
    tabs = [Link(_("Scorecard"), reverse("scorecard", args=[unit.code]) + at)]
    if Permission.ENTER in verbs:
        tabs.append(Link(_("Entry"), reverse("entry", args=[unit.code]) + at, current == "entry"))
    if Permission.APPROVE in verbs:
        tabs.append(Link(_("Approval"), reverse("approve", args=[unit.code]) + at, current == "approve"))
    return {"unit": unit, "month": month, "month_text": months.format_month(month), "crumbs": crumbs, "nav_items": tabs}


def address(name, unit, month, **more):
    """The address of a page with its whole state."""
    said = {"month": months.format_month(month)} | {key: value for key, value in more.items() if value}
    return f"{reverse(name, args=[unit.code])}?{urlencode(said)}"


# Entry ---------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def page(request, code):
    """What is due of a unit in a month, or of the units below it; POST saves one cell, or all that changed."""
    unit = unit_or_404(request.user, Permission.ENTER, code)
    now = timezone.now()
    month = asked_month(request, unit, entry.today_of(now))
    if request.method == "GET":
        return _shown(request, unit, month, now)
    if problem := entry.month_problem(month, entry.today_of(now)):
        if request.POST.get("cell"):
            return _refused_json("month", "future_month", problem)
        return _back(request, problem)
    if request.POST.get("cell"):
        return _cell(request, unit, month, now)
    return _whole(request, unit, month, now)


def _back(request, problem):
    messages.error(request, problem)
    return redirect(request.get_full_path())


def _units_of(request, unit, month):
    """(units on this page, page of the paginator or None, whether units below are shown)."""
    below = request.GET.get("below")
    if below is None:
        below = "" if queries.has_own(unit, month) else "1"
    if not below:
        return [unit], None, False
    found = Paginator(queries.units_reporting_below(unit, month), UNITS_A_PAGE).get_page(request.GET.get("page"))
    return list(found), found, True


def _shown(request, unit, month, now, errors=None, status=200):
    today = entry.today_of(now)
    problem = entry.month_problem(month, today)
    units, pages, is_below = _units_of(request, unit, month)
    groups = [] if problem else entry.grid(units, month, today=today)
    lines = [line for group in groups for line in group.lines]
    for line in lines:
        line.error, line.typed = (errors or {}).get(line.key, (None, None))
    by = entry.due_by(lines, month)
    context = {
        **frame(request, unit, month, "entry"),
        "groups": groups,
        "month_words": date_format(month, "YEAR_MONTH_FORMAT"),
        "problem": problem,
        "entered": sum(line.is_entered for line in lines),
        "total": len(lines),
        "due_by": by,
        "days_left": (by - today).days if by else None,
        "is_below": is_below,
        "has_below": is_below or unit.children.exists(),
        "pages": pages,
        "own_href": address("entry", unit, month, below="") + "&below=",
        "below_href": address("entry", unit, month, below="1"),
        "step_href": reverse("entry", args=[unit.code]) + "?month={month}" + ("&below=1" if is_below else ""),
        "last_month": months.month_of(today),
        "before": months.add_months(month, -1),
        "last_year": months.same_month_last_year(month),
        "errors": [line for line in lines if line.error],
    }
    return render(request, "indicators/entry.html", context, status=status)


def _target_of(request, unit, month, key):
    """(unit, sheet) of a cell "indicator-unit" at or below this unit, where the month has a sheet for it."""
    indicator, _dash, of_unit = key.partition("-")
    if not (indicator.isdecimal() and of_unit.isdecimal()):
        raise BadRequest(_("A cell is named indicator-unit."))
    found = Unit.objects.below(unit).select_related("institution", "territory").filter(pk=of_unit).first()
    sheet = queries.sheets_entered([int(indicator)], month).get(int(indicator))
    return found, sheet


def _typed(request, key):
    return {name: request.POST.get(f"{name[0]}-{key}", "") for name in ("numerator", "denominator", "state")}


def _save(request, unit, sheet, month, key, now):
    """Record a cell, or undo its last change, as the form asks."""
    about = {"by": request.user, "unit": unit, "sheet": sheet, "month": month, "was": request.POST.get(f"w-{key}", "")}
    if request.POST.get("undo") == key:
        entry_cell.undo(**about, now=now)
    else:
        entry_cell.save(**about, typed=_typed(request, key), now=now)


def _cell(request, unit, month, now):
    """One cell saved from the page's script: its row as it stands now, with its light."""
    key = request.POST["cell"]
    of_unit, sheet = _target_of(request, unit, month, key)
    if of_unit is None or sheet is None:
        return _refused_json("indicator", "not_assigned", _("Nothing of this is due here."))
    try:
        _save(request, of_unit, sheet, month, key, now)
    except entry_cell.Conflict as error:
        line = entry.line_of(of_unit, sheet.indicator_id, month, today=entry.today_of(now))
        return _row_json(request, line, month, 409, message=_conflict_words(line, error))
    except entry_cell.Refused as error:
        return _refused_json(error.field, error.rule, str(error))
    line = entry.line_of(of_unit, sheet.indicator_id, month, today=entry.today_of(now))
    return _row_json(request, line, month, 200, can_undo=request.POST.get("undo") != key)


def _refused_json(about, rule, message):
    return JsonResponse({"field": about, "rule": rule, "message": message}, status=422)


def _row_json(request, line, month, status, *, message="", can_undo=False):
    html = render_to_string("indicators/entry_row.html", {"line": line, "can_undo": can_undo, "month": month}, request)
    said = {"row": html, "message": message, "is_entered": line.is_entered}
    return JsonResponse(said, status=status)


def _conflict_words(line, error):
    if error.figure is None:
        return _("Another person has taken this figure back meanwhile. Save again to put yours in its place.")
    who = line.by or _("Another person")
    if not line.is_provisional:
        return _("%(who)s's figure was approved meanwhile. Save again to put yours in its place.") % {"who": who}
    message = _("%(who)s entered %(said)s meanwhile. Save again to put yours in its place.")
    return message % {"who": who, "said": said_by(line)}


def said_by(line):
    """What a cell says, in a few words."""
    if line.is_not_applicable:
        return _("not applicable")
    shown = entry.as_typed(line.figure)
    return f"{shown['numerator']} / {shown['denominator']}" if line.has_denominator else shown["numerator"]


def _whole(request, unit, month, now):
    """The form without a script: every cell that was changed is saved; those refused come back with their reason."""
    units, _pages, _is_below = _units_of(request, unit, month)
    saved, errors = 0, {}
    for group in entry.grid(units, month, today=entry.today_of(now)):
        for line in group.lines:
            outcome = _save_line(request, line, month, now)
            saved += outcome is True
            if isinstance(outcome, entry_cell.Refused):
                errors[line.key] = (outcome, _typed(request, line.key))
    if saved:
        text = ngettext("%(n)d figure saved.", "%(n)d figures saved.", saved) % {"n": saved}
        messages.success(request, text)
    if errors:
        return _shown(request, unit, month, now, errors, status=422)
    return redirect(request.get_full_path())


def _save_line(request, line, month, now):
    """True where a cell of the whole form was saved, Refused where it cannot be, None where it was not changed."""
    key = line.key
    if f"w-{key}" not in request.POST:
        return None
    is_undo = request.POST.get("undo") == key
    if not is_undo and "|".join(_typed(request, key).values()) == request.POST.get(f"o-{key}", ""):
        return None
    try:
        _save(request, line.unit, line.sheet, month, key, now)
    except entry_cell.Refused as error:
        return error
    return True


# Approval ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def approve(request, code):
    """The figures of a month, at and below a unit, that wait for approval; POST approves those chosen, or all."""
    unit = unit_or_404(request.user, Permission.APPROVE, code)
    now = timezone.now()
    month = asked_month(request, unit, entry.today_of(now))
    indicator = request.GET.get("indicator", "")
    waiting = queries.provisional_below(unit, month, indicator)
    if request.method == "POST":
        return _approve(request, waiting, month, now)
    rows = list(waiting[:APPROVED_AT_ONCE])
    before = queries.figures_of(rows, months.add_months(month, -1))
    sheets = queries.sheets_in_force({row.indicator_id for row in rows}, month)
    names = queries.people_names(row.recorded_by_id for row in rows)
    context = {
        **frame(request, unit, month, "approve"),
        "month_words": date_format(month, "YEAR_MONTH_FORMAT"),
        "rows": [_waiting_row(row, sheets, before, names) for row in rows],
        "total": waiting.count(),
        "shown": len(rows),
        "as_shown": now.isoformat(),
        "indicator": indicator,
        "indicators": queries.indicators_waiting(unit, month),
        "clear_href": address("approve", unit, month),
        "step_href": reverse("approve", args=[unit.code]) + "?month={month}",
        "before": months.add_months(month, -1),
        "last_month": months.month_of(entry.today_of(now)),
    }
    return render(request, "indicators/entry_approve.html", context)


def _waiting_row(row, sheets, before, names):
    sheet = sheets.get(row.indicator_id)
    figure = before.get((row.indicator_id, row.unit_id))
    line = entry.Line(unit=row.unit, sheet=sheet, figure=row)
    return {
        "key": f"{row.indicator_id}-{row.unit_id}",
        "line": line,
        "value": said_by(line),
        "before": said_by(entry.Line(unit=row.unit, sheet=sheet, figure=figure)) if figure else "",
        "by": names.get(row.recorded_by_id, ""),
        "at": row.recorded_at,
    }


def _approve(request, waiting, month, now):
    chosen = waiting if request.POST.get("all") else _chosen(request, waiting)
    keys = list(chosen.values_list("indicator_id", "unit_id"))
    outcome = actions.approve(
        by=request.user,
        months=[month] * len(keys),
        indicators=[indicator for indicator, _unit in keys],
        units=[unit for _indicator, unit in keys],
        now=now,
        as_shown=_instant(request.POST.get("as_shown")),
    )
    _tell_approved(request, outcome.written, month)
    return redirect(request.get_full_path())


def _tell_approved(request, written, month):
    n = written.changed
    text = ngettext("%(n)d figure of %(month)s approved.", "%(n)d figures of %(month)s approved.", n)
    messages.success(request, text % {"n": n, "month": date_format(month, "YEAR_MONTH_FORMAT")})
    if written.unchanged:
        message = ngettext(
            "%(n)d figure was changed after this page was shown; look at it again.",
            "%(n)d figures were changed after this page was shown; look at them again.",
            written.unchanged,
        )
        messages.warning(request, message % {"n": written.unchanged})


def _chosen(request, waiting):
    """The figures whose boxes were ticked."""
    keys = [key.split("-") for key in request.POST.getlist("figure")]
    if not all(len(key) == 2 and key[0].isdecimal() and key[1].isdecimal() for key in keys):
        raise BadRequest(_("A figure is named indicator-unit."))
    return queries.among(waiting, [(int(indicator), int(unit)) for indicator, unit in keys])


def _instant(text) -> datetime | None:
    found = parse_datetime(text or "")
    if found is None or timezone.is_naive(found):
        raise BadRequest(_("as_shown is the instant at which the page was shown."))
    return found
