"""Files in through a page: upload, see what it would do, confirm; what was refused is given back to be mended."""

import csv
from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from indicators import imports as values
from indicators.models import Batch
from scorecard import plan_export, plan_import, plan_workbook, uploads
from scorecard.home import loaded
from scorecard.models import Plan
from units.access import institution_or_404
from units.files import FileError
from units.models import Unit
from units.permissions import Permission, can_anywhere
from units.refusals import rows_refused
from units.tables import CSV_TYPE, XLSX_TYPE
from units.views.frame import manage_frame

SHOWN = 100  # refusals on the page; the file has them all
LOADS_SHOWN = 20
VALUES, PLAN = "values", "plan"
ALLOWED = {VALUES: Permission.ENTER, PLAN: Permission.MANAGE_PLANS}
KINDS = {VALUES: gettext_lazy("Figures"), PLAN: gettext_lazy("A plan with its sheets and targets")}


@dataclass
class Preview:
    """What a file would do, or did: counts in words, refusals, and the table of refused rows."""

    counts: list = field(default_factory=list)  # (words, number)
    refused: list = field(default_factory=list)
    table: tuple | None = None
    may_accept_valid: bool = False
    title: str = ""
    is_written: bool = False


class UploadForm(forms.Form):
    """Which file, and what it holds."""

    kind = forms.ChoiceField(label=gettext_lazy("What the file holds"), widget=forms.RadioSelect)
    file = forms.FileField(label=gettext_lazy("File (.xlsx or .csv)"), allow_empty_file=True)

    def __init__(self, *args, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, KINDS[kind]) for kind in kinds]
        self.fields["kind"].initial = kinds[0]


def kinds_of(user):
    """What the person may load."""
    return [kind for kind, permission in ALLOWED.items() if can_anywhere(user, permission)]


def _must_be_allowed(user):
    kinds = kinds_of(user)
    if not kinds:
        raise PermissionDenied(_("Your roles load no files."))
    return kinds


def _frame(request, *crumbs):
    """The frame of administration; for those who administer nothing, just the way back."""
    frame = manage_frame(request, "imports", *crumbs)
    if not frame["nav_items"]:
        frame["crumbs"] = frame["crumbs"][1:]
    return frame


@require_http_methods(["GET", "POST"])
def page(request):
    """Send a file; and what was loaded before."""
    kinds = _must_be_allowed(request.user)
    form = UploadForm(request.POST or None, request.FILES or None, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        try:
            kept = uploads.keep(
                user=request.user, kind=form.cleaned_data["kind"], file=form.cleaned_data["file"], now=timezone.now()
            )
            return redirect("import", kept.token)
        except FileError as error:
            form.add_error("file", str(error))
    mine = Batch.objects.filter(by=request.user, kind__in=[VALUES, PLAN])
    context = {
        **_frame(request),
        "form": form,
        "kinds": kinds,
        "loads": [loaded(batch) for batch in mine[:LOADS_SHOWN]],
        "plans": _plans(request.user) if PLAN in kinds else [],
    }
    return render(request, "imports/imports.html", context, status=422 if form.errors else 200)


def _plans(user):
    roots = Unit.objects.visible_to(user, Permission.MANAGE_PLANS).values("institution_id")
    return Plan.objects.filter(institution__in=roots).select_related("institution").order_by("-year", "institution")


@require_http_methods(["GET", "POST"])
def one(request, token):
    """What a file that was sent would do; POST does it."""
    upload = uploads.recall(request.user, token)
    if upload is None:
        raise Http404(_("This file is no longer here: send it again."))
    if upload.kind not in _must_be_allowed(request.user):
        raise PermissionDenied(_("Your roles do not load such files."))
    is_confirmed = request.method == "POST"
    try:
        found = READERS[upload.kind](request, upload, confirm=is_confirmed)
    except FileError as error:
        return render(request, "imports/preview.html", _context(request, upload, None, str(error)), status=422)
    if request.GET.get("refused") and found.table:
        return _refused_file(upload, found.table)
    if found.is_written:
        return _done(request, upload, found)
    status = 422 if is_confirmed else 200
    return render(request, "imports/preview.html", _context(request, upload, found, ""), status=status)


def _context(request, upload, found, problem):
    return {
        **_frame(request, upload.name),
        "upload": upload,
        "kind_words": KINDS[upload.kind],
        "found": found,
        "problem": problem,
        "shown": found.refused[:SHOWN] if found else [],
        "more": max(0, len(found.refused) - SHOWN) if found else 0,
    }


def _done(request, upload, found):
    said = ", ".join(f"{number} {words}" for words, number in found.counts if number) or _("nothing changed")
    messages.success(request, _("%(name)s was loaded: %(said)s.") % {"name": upload.name, "said": said})
    if found.refused:
        n = len(found.refused)
        text = ngettext("%(n)d row was refused.", "%(n)d rows were refused.", n) % {"n": n}
        messages.warning(request, text)
        return redirect(f"{request.path}?left=1")
    upload.path.unlink(missing_ok=True)
    return redirect("imports")


def _refused_file(upload, table):
    header, rows = table
    response = HttpResponse("\ufeff", content_type=CSV_TYPE)
    stem = upload.name.rpartition(".")[0] or upload.name
    response["Content-Disposition"] = f'attachment; filename="{stem}.refused.csv"'
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows(rows)
    return response


def _values(request, upload, *, confirm):
    """A file of figures; the rows of units that the person may not enter for are refused."""
    allowed = None
    if not request.user.is_superuser:
        allowed = set(Unit.objects.visible_to(request.user, Permission.ENTER).values_list("pk", flat=True))
    taken = values.take_in(
        by=request.user,
        path=upload.path,
        name=upload.name,
        now=timezone.now(),
        units_allowed=allowed,
        accept_valid=not confirm or request.POST.get("accept") == "valid",
        dry_run=not confirm,
    )
    written = taken.written
    counts = [
        (_("new"), written.created),
        (_("changed"), written.changed),
        (_("taken back"), written.blanked),
        (_("unchanged"), written.unchanged),
        (_("rows that say nothing"), taken.empty),
    ]
    return Preview(
        counts=counts,
        refused=taken.refused,
        table=rows_refused(taken.columns, taken.refused) if taken.refused else None,
        may_accept_valid=bool(written.created + written.changed + written.blanked),
        is_written=taken.batch is not None,
    )


def _plan(request, upload, *, confirm):
    """A plan's workbook. It comes in whole or not at all: a plan by halves is none."""
    found = plan_import.take_in(
        by=request.user,
        path=upload.path,
        name=upload.name,
        now=timezone.now(),
        dry_run=not confirm,
        allowed=request.user,
    )
    return Preview(
        counts=found.counts(),
        refused=found.refused,
        table=plan_import.refused_table(found.refused) if found.refused else None,
        title=found.title,
        is_written=found.is_written,
    )


READERS = {VALUES: _values, PLAN: _plan}


def template(request):
    """The empty workbook of a plan."""
    if not can_anywhere(request.user, Permission.MANAGE_PLANS):
        raise PermissionDenied(_("Your role does not allow this."))
    return _workbook(plan_workbook.template(), "plan-template")


def plan_file(request, pk):
    """A plan in the layout in which it comes in."""
    plan = Plan.objects.select_related("institution").filter(pk=pk).first()
    if plan is None:
        raise Http404(_("There is no such plan."))
    institution_or_404(request.user, Permission.VIEW, plan.institution.code)
    return _workbook(plan_export.workbook_of(plan), f"plan-{plan.institution.code}-{plan.year}")


def _workbook(content, name):
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name.lower()}.xlsx"'
    return response
