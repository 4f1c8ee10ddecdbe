"""Pages of plans: the plan that anyone of the institution reads, and its making, weighing, approval and reopening."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from scorecard import plans
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from scorecard.plan_forms import LineForm, NewPlanForm, ObjectiveForm, PerspectiveForm, WeightsForm
from units.access import institution_or_404, institutions_in, root_of
from units.permissions import Permission, can_anywhere, verbs_in
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import Crumb, manage_frame

MANAGE = Permission.MANAGE_PLANS
PARTS = {
    "perspective": (Perspective, PerspectiveForm),
    "objective": (Objective, ObjectiveForm),
    "line": (PlanLine, LineForm),
}


def plan_or_404(request, pk, permission):
    """A plan of an institution of which the person sees a unit; what it allows is asked at the institution's head."""
    plan = Plan.objects.filter(pk=pk).select_related("institution", "approved_by").first()
    if plan is None:
        raise Http404(_("There is no such plan."))
    institution_or_404(request.user, permission, plan.institution.code)
    return plan


def edit_href(plan):
    return reverse("manage-plan", args=[plan.pk])


# Reading -------------------------------------------------------------------------------------------------------------


def plan_page(request, pk):
    """A plan as it is read, with its head figures, and what stands in the way of its approval."""
    plan = plan_or_404(request, pk, Permission.VIEW)
    found = plans.outline(plan)
    table = _table(found)
    if (file := respond_with(table, request)) is not None:
        return file
    root = root_of(plan.institution)
    verbs = verbs_in(request.user, root) if root else set()
    may_change = MANAGE in verbs
    works = may_change or Permission.APPROVE in verbs
    context = {
        "crumbs": [_institution_crumb(plan, root), Crumb(_("Plan of %(year)s") % {"year": plan.year})],
        "plan": plan,
        "outline": found,
        "head": plans.head_figures(found),
        "table": table.offered_at(request),
        "faults": plans.faults(found) if works and plan.status == PlanStatus.DRAFT else [],
        "may_change": may_change,
        "may_approve": Permission.APPROVE in verbs and plan.status == PlanStatus.DRAFT,
        "may_reopen": may_change and plan.status == PlanStatus.APPROVED,
        "others": Plan.objects.filter(institution=plan.institution).exclude(pk=plan.pk).order_by("-year"),
    }
    return render(request, "plans/plan.html", context)


def _institution_crumb(plan, root):
    return Crumb(plan.institution.local_name, reverse("scorecard", args=[root.code]) if root else "")


def _table(found):
    """The plan's lines, whole, for those who take it away."""
    columns = [
        Column("number", _("Number")),
        Column("objective", _("Objective")),
        Column("code", _("Code")),
        Column("name", _("Indicator")),
        Column("weight", _("Weight"), "number", 2, unit="%"),
        Column("baseline", _("Baseline"), "number", 2),
        Column("no_baseline", _("No baseline, because")),
        Column("missing", _("Months without a target"), "number", 0),
        Column("no_target", _("No targets, because")),
    ]
    rows = []
    for node in found.root.walk():
        for item in node.lines:
            name = item.sheet.local_name if item.sheet else item.line.indicator.code
            baseline = item.sheet.baseline_value if item.sheet else None
            rows.append(
                [
                    item.number,
                    str(node.objective),
                    item.line.indicator.code,
                    name,
                    item.line.weight,
                    baseline,
                    item.state.baseline_reason,
                    len(item.state.missing),
                    item.line.no_target_because,
                ]
            )
    plan = found.plan
    notes = [
        (_("Institution"), plan.institution.local_name),
        (_("Version"), f"{plan.version}, {plan.get_status_display()}"),
        (_("Method"), _("A month has a target where the institution has one, or every unit that reports.")),
    ]
    title = _("Plan of %(year)s") % {"year": plan.year}
    return Table(title, columns, rows, notes, id="plan", name=f"plan-{plan.institution.code}-{plan.year}")


# Lists and new plans -------------------------------------------------------------------------------------------------


def _must_plan(user):
    if not can_anywhere(user, MANAGE):
        raise PermissionDenied(_("Your role does not allow this."))


def plans_list(request):
    """Plans of the institutions that the person plans for."""
    _must_plan(request.user)
    mine = institutions_in(request.user, MANAGE)
    found = Plan.objects.filter(institution__in=mine).select_related("institution", "approved_by")
    columns = [
        Column("year", _("Year")),
        Column("institution", _("Institution")),
        Column("status", _("Status")),
        Column("version", _("Version"), "number", 0),
        Column("approved", _("Approved by")),
    ]
    rows = [
        [
            Cell(str(plan.year), edit_href(plan)),
            plan.institution.local_name,
            plan.get_status_display(),
            plan.version,
            str(plan.approved_by) if plan.approved_by else "",
        ]
        for plan in found.order_by("-year", "institution__code")
    ]
    table = Table(_("Plans"), columns, rows, id="plans", name="plans", empty=_("No plan yet."))
    if (file := respond_with(table, request)) is not None:
        return file
    context = {**manage_frame(request, "plans"), "table": table.offered_at(request), "count": len(rows)}
    return render(request, "plans/plans.html", context)


def _number(text):
    """A plan's number as an address says it, else 0."""
    return int(text) if text.isdecimal() else 0


def new_plan(request):
    """A plan of a year, empty or copied from another one."""
    _must_plan(request.user)
    institutions = institutions_in(request.user, MANAGE).order_by("code")
    copied = Plan.objects.filter(pk=_number(request.GET.get("copy", "")), institution__in=institutions).first()
    initial = {"copied": copied, "institution": copied.institution, "year": copied.year + 1} if copied else {}
    form = NewPlanForm(request.POST or None, institutions=institutions, initial=initial)

    def act(*, reason, now):
        given = form.cleaned_data
        about = {"by": request.user, "year": given["year"], "now": now, "reason": reason}
        if given["copied"]:
            return plans.copy_plan(plan=given["copied"], **about)
        return plans.create_plan(institution=given["institution"], **about)

    return change(
        request,
        form=form,
        act=act,
        done=lambda made: (_("The plan is open as a draft."), edit_href(made)),
        title=_("A new plan"),
        frame=manage_frame(request, "plans", _("New plan")),
        back=reverse("manage-plans"),
    )


# Making a plan -------------------------------------------------------------------------------------------------------


def edit(request, pk):
    """A plan as it is made: its tree with running sums, its faults, and a button for every change."""
    plan = plan_or_404(request, pk, MANAGE)
    found = plans.outline(plan)
    verbs = verbs_in(request.user, root_of(plan.institution))
    context = {
        **_frame(request, plan),
        "plan": plan,
        "outline": found,
        "head": plans.head_figures(found),
        "faults": plans.faults(found),
        "perspectives": plan.perspectives.all(),
        "is_draft": plan.status == PlanStatus.DRAFT,
        "may_approve": Permission.APPROVE in verbs,
    }
    return render(request, "plans/edit.html", context)


def _frame(request, plan, *crumbs):
    return manage_frame(request, "plans", (str(plan), edit_href(plan)), *crumbs)


def _part_or_404(plan, kind, pk):
    if kind not in PARTS:
        raise Http404(_("A plan has no such part."))
    part = PARTS[kind][0].objects.filter(plan=plan, pk=pk).select_related("plan__institution").first()
    if part is None:
        raise Http404(_("The plan has no such part."))
    return part


def _kind_words(kind):
    return {"perspective": _("perspective"), "objective": _("objective"), "line": _("indicator")}[kind]


def add_part(request, pk, kind):
    """A new perspective, objective or line."""
    plan = plan_or_404(request, pk, MANAGE)
    if kind not in PARTS:
        raise Http404(_("A plan has no such part."))
    model, form_class = PARTS[kind]
    initial = {"parent": request.GET.get("under"), "objective": request.GET.get("under")}
    form = form_class(request.POST or None, instance=model(plan=plan), plan=plan, initial=initial)
    title = _("Add: %(kind)s") % {"kind": _kind_words(kind)}
    return _save_part(request, plan, form, title, _("Added to the plan."))


def edit_part(request, pk, kind, part):
    """Change a perspective, an objective or a line."""
    plan = plan_or_404(request, pk, MANAGE)
    one = _part_or_404(plan, kind, part)
    form = PARTS[kind][1](request.POST or None, instance=one, plan=plan)
    return _save_part(request, plan, form, _("Change: %(kind)s") % {"kind": _kind_words(kind)}, _("Changed."))


def _save_part(request, plan, form, title, message):
    def act(*, reason, now):
        return plans.save_part(by=request.user, part=form.instance, now=now, reason=reason)

    return _change(request, plan, form, act, title, message)


def _change(request, plan, form, act, title, message, *, wants_reason=False, **options):
    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (message, edit_href(plan)),
        title=title,
        frame=_frame(request, plan, title),
        back=edit_href(plan),
        wants_reason=wants_reason,
        **options,
    )


def remove_part(request, pk, kind, part):
    """Take a part out of the plan."""
    plan = plan_or_404(request, pk, MANAGE)
    one = _part_or_404(plan, kind, part)

    def act(*, reason, now):
        plans.remove_part(by=request.user, part=_part_or_404(plan, kind, part), now=now, reason=reason)

    title = _("Take out: %(part)s") % {"part": getattr(one, "indicator", one)}
    return _change(request, plan, _no_fields(request), act, title, _("Taken out of the plan."), wants_reason=True)


def _no_fields(request):
    return forms.Form(request.POST if request.method == "POST" else None)


@require_POST
def move_part(request, pk, kind, part):
    """One place up or down. It turns no light, so it is done at once; the other button takes it back."""
    plan = plan_or_404(request, pk, MANAGE)
    one = _part_or_404(plan, kind, part)
    try:
        plans.move_part(by=request.user, part=one, up=request.POST.get("to") == "up", now=timezone.now())
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return HttpResponseRedirect(f"{edit_href(plan)}#{kind}-{one.pk}")


def weights(request, pk):
    """Weights of everything in one place of the plan, with their running sum."""
    plan = plan_or_404(request, pk, MANAGE)
    under = request.GET.get("under", "")
    found = plans.outline(plan)
    node = next((n for n in found.root.walk() if str(n.objective.pk if n.objective else "") == under), None)
    if node is None:
        raise Http404(_("The plan has no such part."))
    form = WeightsForm(request.POST or None, node=node)

    def act(*, reason, now):
        return plans.set_weights(by=request.user, plan=plan, weights=form.weights, now=now, reason=reason)

    title = _("Weights: %(where)s") % {"where": node.objective or _("objectives at the top")}
    return _change(
        request,
        plan,
        form,
        act,
        title,
        _("The weights are saved."),
        template="plans/weights.html",
        extra={"total": _total(form)},
    )


def _total(form):
    """The sum of what is typed, or of what stands."""
    total = 0.0
    for name, field in form.fields.items():
        try:
            total += field.clean(form[name].value()) or 0.0
        except ValidationError:
            continue
    return round(total, 6)


# Approval ------------------------------------------------------------------------------------------------------------


def approve(request, pk):
    """Approve a plan, or read everything that stands in its way."""
    plan = plan_or_404(request, pk, Permission.APPROVE)
    found = plans.outline(plan)

    def act(*, reason, now):
        return plans.approve(by=request.user, plan=plan, now=now, reason=reason)

    return change(
        request,
        form=_no_fields(request),
        act=act,
        done=lambda _made: (_("The plan is approved."), reverse("plan", args=[plan.pk])),
        title=_("Approve the plan of %(institution)s for %(year)s")
        % {"institution": plan.institution, "year": plan.year},
        frame=_approval_frame(request, plan),
        back=reverse("plan", args=[plan.pk]),
        template="plans/approve.html",
        extra={"plan": plan, "head": plans.head_figures(found), "faults": plans.faults(found)},
    )


def _approval_frame(request, plan):
    if MANAGE in verbs_in(request.user, root_of(plan.institution)):
        return _frame(request, plan, _("Approve"))
    return {"crumbs": [Crumb(str(plan), reverse("plan", args=[plan.pk])), Crumb(_("Approve"))]}


def reopen(request, pk):
    """An approved plan becomes the draft of its next version."""
    plan = plan_or_404(request, pk, MANAGE)

    def act(*, reason, now):
        return plans.reopen(by=request.user, plan=plan, now=now, reason=reason)

    title = _("Open the plan of %(year)s again") % {"year": plan.year}
    message = _("The plan is a draft again, with the next version's number.")
    return _change(request, plan, _no_fields(request), act, title, message, wants_reason=True)
