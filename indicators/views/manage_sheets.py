"""Pages of indicator sheets and their versions."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from indicators import sheets
from indicators.forms import GROUPS, EndSheetForm, NewIndicatorForm, SheetForm
from indicators.formulas import formula_problem
from indicators.models import Indicator, SheetVersion
from indicators.months import parse_month
from units.access import institution_or_404, institutions_in
from units.permissions import Permission, can_anywhere
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

MANAGE = Permission.MANAGE_PLANS
PAGE = 100
FORM = "indicators/manage/sheet_form.html"


def must_plan(user):
    """Forbidden for those who plan nowhere."""
    if not can_anywhere(user, MANAGE):
        raise PermissionDenied(_("Your role does not allow this."))


def sheet_href(indicator):
    return reverse("manage-sheet", args=[indicator.code])


def sheets_list(request):
    """Indicators of the institutions that the person plans for, each with its sheet in force."""
    must_plan(request.user)
    query = request.GET.get("q", "").strip()
    institutions = institutions_in(request.user, MANAGE).order_by("code")
    last = SheetVersion.objects.filter(indicator=OuterRef("pk")).order_by("-valid_from")
    found = (
        Indicator.objects.filter(institution__in=institutions)
        .select_related("institution")
        .annotate(last=Subquery(last.values("pk")[:1]), name=Subquery(last.values("name")[:1]))
        .annotate(units=Count("assignments", filter=Q(assignments__to_month=None)))
    )
    if query:
        found = found.filter(Q(code__icontains=query) | Q(name__icontains=query))
    page = Paginator(found.order_by("code"), PAGE).get_page(request.GET.get("page"))
    table = _table(list(found.order_by("code")) if request.GET.get("format") else list(page), query)
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **manage_frame(request, "sheets"),
        "q": query,
        "institutions": institutions,
        "table": table.offered_at(request),
        "page": page,
        "query": rest.urlencode(),
    }
    return render(request, "indicators/manage/sheets.html", context)


def _table(found, query):
    versions = SheetVersion.objects.in_bulk([indicator.last for indicator in found if indicator.last])
    columns = [
        Column("name", _("Indicator")),
        Column("code", _("Code")),
        Column("measure", _("Unit of measure")),
        Column("sense", _("Direction")),
        Column("frequency", _("Frequency")),
        Column("version", _("Version"), "number", 0),
        Column("from", _("Valid from"), "month"),
        Column("units", _("Units due"), "number", 0),
        Column("state", _("State")),
    ]
    rows = []
    for indicator in found:
        version = versions[indicator.last]
        rows.append(
            [
                Cell(version.local_name, sheet_href(indicator)),
                indicator.code,
                version.local_unit_of_measure,
                version.get_sense_display(),
                version.get_frequency_display(),
                version.version,
                version.valid_from,
                indicator.units,
                _("ended") if version.valid_to else _("in force"),
            ]
        )
    notes = [(_("Search"), query)] if query else []
    empty = _("Nothing is called so here.") if query else _("No indicator yet.")
    return Table(_("Indicator sheets"), columns, rows, notes, id="sheets", name="indicator-sheets", empty=empty)


def indicator_or_404(request, code):
    """An indicator for whose institution the person plans."""
    indicator = Indicator.objects.filter(code=code).select_related("institution").first()
    if indicator is None:
        raise Http404(_("There is no indicator %(code)s.") % {"code": code})
    institution_or_404(request.user, MANAGE, indicator.institution.code)
    return indicator


def _frame(request, indicator, *crumbs):
    return manage_frame(request, "sheets", (indicator.code, sheet_href(indicator)), *crumbs)


def sheet(request, code):
    """A sheet: what it says now, and its versions with what each changed."""
    indicator = indicator_or_404(request, code)
    versions = list(indicator.sheets.select_related("responsible", "approver").order_by("valid_from"))
    wanted = request.GET.get("version", "")
    shown = next((v for v in versions if str(v.version) == wanted), versions[-1])
    context = {
        **_frame(request, indicator),
        "indicator": indicator,
        "shown": shown,
        "is_last": shown == versions[-1],
        "versions": [(v, _differences(former, v)) for former, v in zip([None, *versions], versions, strict=False)][
            ::-1
        ],
        "groups": [(legend, _facts(shown, names)) for legend, names in GROUPS],
        "assigned": indicator.assignments.filter(to_month=None).count(),
    }
    return render(request, "indicators/manage/sheet.html", context)


def _label(name):
    label = str(SheetVersion._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def words(version, name):
    """What a version says in a field, as people read it."""
    value = getattr(version, name)
    field = SheetVersion._meta.get_field(name)
    if value is None or value == "":
        return ""
    if field.choices:
        return str(getattr(version, f"get_{name}_display")())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return number_format(int(value) if value.is_integer() else value, use_l10n=True, force_grouping=True)
    return value


def _facts(version, names):
    return [(_label(name), words(version, name)) for name in names if words(version, name) != ""]


def _differences(former, version):
    if former is None:
        return []
    names = [name for _legend, group in GROUPS for name in group]
    return [
        (_label(name), words(former, name), words(version, name))
        for name in names
        if getattr(former, name) != getattr(version, name)
    ]


# Changes -------------------------------------------------------------------------------------------------------------


def new_indicator(request):
    """A new indicator of an institution, with the first version of its sheet."""
    must_plan(request.user)
    institution = institution_or_404(request.user, MANAGE, request.GET.get("institution", ""))
    form = NewIndicatorForm(request.POST or None, institution=institution)

    def act(*, reason, now):
        given = form.cleaned_data
        return sheets.add_indicator(
            by=request.user,
            institution=institution,
            code=given["code"],
            valid_from=given["valid_from"],
            sheet=form.sheet,
            now=now,
            reason=reason,
        )

    return change(
        request,
        form=form,
        act=act,
        done=lambda made: (_("%(code)s has a sheet. Assign it to units next.") % {"code": made}, sheet_href(made)),
        title=_("A new indicator of %(institution)s") % {"institution": institution},
        frame=manage_frame(request, "sheets", _("New indicator")),
        back=reverse("manage-sheets"),
        template=FORM,
        extra={"fieldsets": form.fieldsets, "code": ""},
    )


def new_version(request, code):
    """The sheet from a month on."""
    indicator = indicator_or_404(request, code)
    last = indicator.sheets.order_by("-valid_from").first()
    form = SheetForm(request.POST or None, institution=indicator.institution, version=last, code=code)

    def act(*, reason, now):
        valid_from = form.cleaned_data["valid_from"]
        return sheets.new_version(
            by=request.user, indicator=indicator, valid_from=valid_from, sheet=form.sheet, now=now, reason=reason
        )

    return _change(
        request,
        indicator,
        form,
        act,
        _("A new version of %(code)s") % {"code": code},
        _("The new version is in place."),
    )


def correct_version(request, code):
    """Mend the last version, for all its months."""
    indicator = indicator_or_404(request, code)
    last = indicator.sheets.order_by("-valid_from").first()
    form = SheetForm(request.POST or None, institution=indicator.institution, version=last, code=code, asks_month=False)

    def act(*, reason, now):
        fresh = SheetVersion.objects.select_related("indicator__institution").get(pk=last.pk)
        return sheets.correct_version(by=request.user, version=fresh, sheet=form.sheet, now=now, reason=reason)

    title = _("Correct version %(n)s of %(code)s") % {"n": last.version, "code": code}
    return _change(request, indicator, form, act, title, _("The version is corrected."), wants_reason=True)


def _change(request, indicator, form, act, title, message, *, wants_reason=False):
    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (message, sheet_href(indicator)),
        title=title,
        frame=_frame(request, indicator, title),
        back=sheet_href(indicator),
        wants_reason=wants_reason,
        template=FORM,
        extra={"fieldsets": form.fieldsets, "code": indicator.code},
    )


def end_sheet(request, code):
    """The end of an indicator."""
    indicator = indicator_or_404(request, code)
    form = EndSheetForm(request.POST or None)

    def act(*, reason, now):
        return sheets.end_sheet(
            by=request.user, indicator=indicator, valid_to=form.cleaned_data["valid_to"], now=now, reason=reason
        )

    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (_("The indicator ends there."), sheet_href(indicator)),
        title=_("End %(code)s") % {"code": code},
        frame=_frame(request, indicator, _("End")),
        back=sheet_href(indicator),
        wants_reason=True,
    )


def check_formula(request):
    """A formula as it is typed: what is wrong with it, a circle named, or that it reads well. A fragment of a page."""
    must_plan(request.user)
    text = request.GET.get("formula", "").strip()
    if not text:
        return HttpResponse("")
    try:
        month = parse_month(request.GET.get("valid_from", ""))
    except ValueError:
        month = timezone.localdate().replace(day=1)
    problem = formula_problem(text, request.GET.get("of") or request.GET.get("code", "").upper(), month)
    if problem:
        return HttpResponse(format_html('<span class="error">{}</span>', problem))
    return HttpResponse(format_html("<span>{}</span>", _("The formula reads well.")))
