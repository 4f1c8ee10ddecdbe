"""Pages of event rules: which incidents an indicator counts, from when to when, and what it would count."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents import event_rules
from incidents.condition_words import Book
from incidents.forms import EndRuleForm, EventRuleForm
from incidents.models import TIMED, EventRule, Measure
from indicators.models import SheetVersion
from indicators.views.manage_sheets import must_plan, sheet_href
from units.access import institution_or_404, institutions_in
from units.permissions import Permission
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

MANAGE = Permission.MANAGE_PLANS
FORM = "incidents/manage/event_rule_form.html"


def rules(request):
    """Event rules of the institutions that the person plans for."""
    must_plan(request.user)
    institutions = institutions_in(request.user, MANAGE)
    table = _table(event_rules.of_institutions(institutions))
    if (file := respond_with(table, request)) is not None:
        return file
    context = {**manage_frame(request, "sheets", _("Event rules")), "table": table.offered_at(request)}
    return render(request, "incidents/manage/event_rules.html", context)


def _table(found):
    columns = [
        Column("indicator", _("Indicator")),
        Column("measure", _("Measure")),
        Column("category", _("Category")),
        Column("source", _("Source")),
        Column("conditions", _("Conditions")),
        Column("from", _("From month"), "month"),
        Column("to", _("Until month, not included"), "month"),
        Column("end", _("End")),
    ]
    book, names = Book(), _names({rule.indicator_id for rule in found})
    rows = [
        [
            Cell(rule.indicator.code, sheet_href(rule.indicator), names.get(rule.indicator_id, "")),
            _measure_words(rule),
            rule.category.local_name,
            rule.source.local_name if rule.source_id else _("every source"),
            _condition_words(rule, book),
            rule.from_month,
            rule.to_month,
            "" if rule.to_month else Cell(_("End"), reverse("manage-event-rule-end", args=[rule.pk])),
        ]
        for rule in found
    ]
    empty = _("No indicator counts events yet.")
    return Table(_("Event rules"), columns, rows, id="event-rules", name="event-rules", empty=empty)


def _names(indicators):
    """What the newest sheet of each indicator calls it, by id. One query."""
    newest = SheetVersion.objects.filter(indicator__in=indicators).order_by("indicator_id", "-valid_from")
    return {sheet.indicator_id: sheet.local_name for sheet in newest.distinct("indicator_id")}


def _measure_words(rule):
    if rule.measure in TIMED:
        said = {"from": rule.get_from_stage_display(), "to": rule.get_to_stage_display()}
        return f"{rule.get_measure_display()}: " + _("from %(from)s to %(to)s") % said
    return rule.get_measure_display()


def _condition_words(rule, book):
    parts = [book.line(condition) for condition in rule.filter]
    if rule.part:
        parts.append(_("part: %(conditions)s") % {"conditions": " · ".join(map(book.line, rule.part))})
    return " · ".join(parts)


def new_rule(request):
    """An indicator begins to count events."""
    must_plan(request.user)
    institutions = institutions_in(request.user, MANAGE)
    form = EventRuleForm(request.POST or None, institutions=institutions)

    def act(*, reason, now):
        return event_rules.add(by=request.user, rule=form.rule, now=now, reason=reason)

    return change(
        request,
        form=form,
        act=act,
        done=lambda rule: (
            _("%(indicator)s counts these events from now on.") % {"indicator": rule.indicator.code},
            reverse("manage-event-rules"),
        ),
        title=_("Count events for an indicator"),
        frame=manage_frame(request, "sheets", (_("Event rules"), reverse("manage-event-rules")), _("New event rule")),
        back=reverse("manage-event-rules"),
        template=FORM,
        extra={"fields": Book().offered(), "table": _preview(request, form)},
    )


def _preview(request, form):
    """What the rule would say of the last months; None where it cannot be asked: the action will say why."""
    if request.method != "POST" or not form.is_valid():
        return None
    rule = form.rule
    try:
        event_rules.check(rule)
    except ValidationError:
        return None
    rows = [
        [month, units, numerator, *([under] if rule.measure == Measure.SHARE else []), lost]
        for month, units, numerator, under, lost in event_rules.preview(rule, now=timezone.now())
    ]
    columns = [
        Column("month", _("Month"), "month"),
        Column("units", _("Units due"), "number", 0),
        Column("count", _("Units with a figure") if rule.measure in TIMED else _("Count of all units"), "number", 0),
        *([Column("of", _("Out of"), "number", 0)] if rule.measure == Measure.SHARE else []),
        Column("lost", _("Events that no unit answers for"), "number", 0),
    ]
    empty = _("The sheet takes no such figures in the last months.")
    return Table(_("What it would count"), columns, rows, id="preview", empty=empty)


def end_rule(request, pk):
    """A rule counts no longer from a month on."""
    rule = EventRule.objects.filter(pk=pk).select_related("indicator__institution").first()
    if rule is None:
        raise Http404(_("There is no such event rule."))
    institution_or_404(request.user, MANAGE, rule.indicator.institution.code)
    form = EndRuleForm(request.POST or None)

    def act(*, reason, now):
        to_month = form.cleaned_data["to_month"]
        return event_rules.end(by=request.user, rule=rule, to_month=to_month, now=now, reason=reason)

    back = reverse("manage-event-rules")
    return change(
        request,
        form=form,
        act=act,
        done=lambda _rule: (_("It counts no longer from that month on."), back),
        title=_("End the event rule of %(indicator)s") % {"indicator": rule.indicator.code},
        frame=manage_frame(request, "sheets", (_("Event rules"), back), _("End")),
        back=back,
        wants_reason=True,
    )
