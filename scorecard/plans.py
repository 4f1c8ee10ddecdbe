"""Plans: the outline people read, what a plan lacks, and its changes. An approved plan is opened again, not edited."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from indicators.actions import mark_all_stale
from indicators.models import SheetVersion
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from scorecard.plan_targets import LineState, line_states
from units.actions import recorded
from units.models import Institution, User

WHOLE = 100.0
CLOSE_ENOUGH = 0.005  # weights are typed with two decimals at most


# The outline ---------------------------------------------------------------------------------------------------------


@dataclass
class LineNode:
    """A line of the plan with its number, the sheet at the year's end (None without one) and what it lacks."""

    line: PlanLine
    number: str
    sheet: SheetVersion | None
    state: LineState


@dataclass
class Node:
    """An objective with its number, its lines and the objectives below it. `total` is the sum of their weights."""

    objective: Objective | None
    number: str
    lines: list[LineNode] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def total(self) -> float:
        weights = [item.line.weight for item in self.lines]
        return round(sum(weights) + sum(child.objective.weight for child in self.children), 6)

    @property
    def adds_up(self) -> bool:
        return abs(self.total - WHOLE) <= CLOSE_ENOUGH

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.children

    def walk(self):
        """This node and all below it, in the order of the plan."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass
class Outline:
    """A plan as it is read: the root holds the objectives at the top. Numbers are those that cards print."""

    plan: Plan
    root: Node

    @property
    def lines(self) -> list[LineNode]:
        return [item for node in self.root.walk() for item in node.lines]


def outline(plan: Plan) -> Outline:
    """The outline of a plan. A fixed number of queries, whatever its size."""
    objectives = list(plan.objectives.select_related("perspective", "responsible", "contributes_to__plan"))
    lines = list(plan.lines.select_related("indicator__institution"))
    states = line_states(plan, lines)
    by_parent, lines_of = {}, {}
    for objective in objectives:
        by_parent.setdefault(objective.parent_id, []).append(objective)
    for line in lines:
        lines_of.setdefault(line.objective_id, []).append(line)

    def build(node):
        """Numbers of objectives below one go on after those of its lines, so that none is given twice."""
        prefix = f"{node.number}." if node.number else ""
        own = lines_of.get(node.objective.pk, []) if node.objective else []
        for n, line in enumerate(own, start=1):
            state = states[line.pk]
            node.lines.append(LineNode(line, f"{prefix}{n}", state.sheet, state))
        parent = node.objective.pk if node.objective else None
        for n, objective in enumerate(by_parent.get(parent, []), start=len(own) + 1):
            node.children.append(build(Node(objective, f"{prefix}{n}")))
        return node

    return Outline(plan, build(Node(None, "")))


# What a plan lacks ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """What stands in the way of approval: the rule by name, where, and the words for it."""

    rule: str
    where: str
    message: str
    objective_id: int | None = None
    line_id: int | None = None

    def __str__(self):
        return f"{self.where}: {self.message}" if self.where else self.message


def faults(found: Outline) -> list[Fault]:
    """Every reason for which the plan cannot be approved, in the order of the plan; empty when it can."""
    if found.root.is_empty:
        return [Fault("empty", "", _("The plan has no objectives."))]
    listed = []
    for node in found.root.walk():
        listed += _node_faults(node)
        for item in node.lines:
            listed += _line_faults(item)
    return listed


def _node_faults(node):
    objective = node.objective
    where = f"{node.number} {objective}" if objective else _("Objectives at the top")
    pk = objective.pk if objective else None
    if node.is_empty:
        return [Fault("objective_empty", where, _("It has neither indicators nor objectives below it."), pk)]
    if not node.adds_up:
        message = _("The weights add up to %(total)s, not to 100.") % {"total": f"{node.total:g}"}
        return [Fault("weights", where, message, pk)]
    return []


def _line_faults(item):
    where, line, state = f"{item.number} {item.line.indicator.code}", item.line, item.state
    about = {"objective_id": line.objective_id, "line_id": line.pk}
    if item.sheet is None:
        return [Fault("no_sheet", where, _("The indicator has no sheet in force in the year."), **about)]
    listed = []
    if state.missing and not line.no_target_because:
        count = len(state.missing)
        message = ngettext(
            "%(n)s month has no target, and no reason is given.",
            "%(n)s months have no target, and no reason is given.",
            count,
        ) % {"n": count}
        listed.append(Fault("targets", where, message, **about))
    if not state.has_baseline and not state.baseline_reason:
        listed.append(Fault("baseline", where, _("There is no baseline, and no reason is given."), **about))
    return listed


@dataclass(frozen=True)
class HeadFigures:
    """The head figures of a plan: the gate of planning quality."""

    total: int
    with_baseline: int
    closed: int

    @property
    def percent_closed(self) -> float | None:
        return 100 * self.closed / self.total if self.total else None


def head_figures(found: Outline) -> HeadFigures:
    """How many indicators the plan has, how many with a baseline, and how many with every target closed."""
    lines = found.lines
    with_baseline = sum(item.state.has_baseline for item in lines)
    return HeadFigures(len(lines), with_baseline, sum(item.state.is_closed for item in lines))


# Changes -------------------------------------------------------------------------------------------------------------


@contextmanager
def _editing(plan: Plan, *, by: User | None, now: datetime, reason: str):
    """A change of a draft: one at a time, written in the history, its year's cards computed again."""
    with recorded(by=by, reason=reason):
        locked = Plan.objects.select_for_update().get(pk=plan.pk)
        if locked.status != PlanStatus.DRAFT:
            raise ValidationError(_("The plan is approved: open it again to change it."))
        yield
        mark_all_stale(institution=plan.institution, from_month=date(plan.year, 1, 1), now=now)


def create_plan(*, by, institution: Institution, year: int, now, reason="") -> Plan:
    """An empty plan of a year."""
    with recorded(by=by, reason=reason):
        plan = Plan(institution=institution, year=year)
        _refuse_second(institution, year)
        plan.full_clean()
        plan.save()
        mark_all_stale(institution=institution, from_month=date(year, 1, 1), now=now)
    return plan


def _refuse_second(institution, year):
    if Plan.objects.filter(institution=institution, year=year).exists():
        words = {"institution": institution, "year": year}
        raise ValidationError({"year": _("%(institution)s has a plan of %(year)s already.") % words})


def copy_plan(*, by, plan: Plan, year: int, now, reason="") -> Plan:
    """A draft for another year with the perspectives, objectives, lines, weights and reasons of this one.

    An objective keeps what it contributes to where the State's plan of that year has an objective of the same words.
    """
    with recorded(by=by, reason=reason):
        made = create_plan(by=by, institution=plan.institution, year=year, now=now, reason=reason)
        views = {old.pk: _copied(old, plan=made) for old in plan.perspectives.all()}
        objectives = {}
        pending = sorted(plan.objectives.select_related("contributes_to"), key=_depth_in(plan))
        for old in pending:
            objectives[old.pk] = _copied(
                old,
                plan=made,
                parent=objectives.get(old.parent_id),
                perspective=views.get(old.perspective_id),
                contributes_to=_same_objective(old.contributes_to, year),
            )
        for old in plan.lines.all():
            _copied(old, plan=made, objective=objectives[old.objective_id])
    return made


def _depth_in(plan):
    parents = dict(plan.objectives.values_list("pk", "parent_id"))

    def depth(objective):
        steps, parent = 0, objective.parent_id
        while parent:
            steps, parent = steps + 1, parents[parent]
        return steps

    return depth


def _copied(old, **changed):
    values = {f.name: getattr(old, f.name) for f in old._meta.concrete_fields if not f.primary_key}
    new = type(old)(**{**values, **changed})
    new.save()
    return new


def _same_objective(objective, year):
    if objective is None:
        return None
    return Objective.objects.filter(
        plan__institution=objective.plan.institution, plan__year=year, verb=objective.verb, what=objective.what
    ).first()


def save_part(*, by, part, now, reason=""):
    """Add or change a perspective, an objective or a line of a draft; a new one comes last among its siblings."""
    with _editing(part.plan, by=by, now=now, reason=reason):
        if part.pk is None:
            part.order = 1 + max((other.order for other in siblings(part)), default=-1)
        _check_part(part)
        part.full_clean()
        part.save()
    return part


def _check_part(part):
    if isinstance(part, Objective) and part.pk and part.parent_id:
        above = part.parent
        while above is not None:
            if above.pk == part.pk:
                raise ValidationError({"parent": _("An objective cannot stand below itself.")})
            above = above.parent
    if isinstance(part, PlanLine):
        own = part.indicator.institution_id == part.plan.institution_id
        if not own and not part.plan.institution.is_state:
            raise ValidationError({"indicator": _("Only the State's plan cites indicators of other institutions.")})
        same = PlanLine.objects.filter(plan=part.plan, indicator=part.indicator).exclude(pk=part.pk)
        if same.exists():
            raise ValidationError({"indicator": _("The indicator stands in the plan already.")})


def remove_part(*, by, part, now, reason):
    """Take a part out of a draft; an objective takes what stands below it along."""
    if not reason:
        raise ValidationError(_("Say why: the reason stays in the history."))
    with _editing(part.plan, by=by, now=now, reason=reason):
        part.delete()


def siblings(part):
    """Parts of the same kind in the same place, in order."""
    if isinstance(part, Perspective):
        return list(part.plan.perspectives.all())
    if isinstance(part, Objective):
        return list(part.plan.objectives.filter(parent=part.parent))
    return list(PlanLine.objects.filter(plan=part.plan, objective=part.objective))


def move_part(*, by, part, up: bool, now):
    """One place up or down among its siblings; at the end of them it stays."""
    with _editing(part.plan, by=by, now=now, reason=""):
        row = siblings(part)
        here = next(i for i, other in enumerate(row) if other.pk == part.pk)
        there = here - 1 if up else here + 1
        if not 0 <= there < len(row):
            return
        row[here], row[there] = row[there], row[here]
        for order, other in enumerate(row):
            if other.order != order:
                other.order = order
                other.save(update_fields=["order"])


def set_weights(*, by, plan: Plan, weights: dict, now, reason=""):
    """Weights of several parts at once: {Objective or PlanLine: weight}. That they add up is asked at approval."""
    with _editing(plan, by=by, now=now, reason=reason):
        for part, weight in weights.items():
            if part.weight != weight:
                part.weight = weight
                part.save(update_fields=["weight"])
    return plan


def approve(*, by, plan: Plan, now, reason="") -> Plan:
    """The plan is approved as it stands. Refused with every fault while it has any."""
    with recorded(by=by, reason=reason):
        plan = Plan.objects.select_for_update().select_related("institution").get(pk=plan.pk)
        if plan.status == PlanStatus.APPROVED:
            raise ValidationError(_("The plan is approved already."))
        if listed := faults(outline(plan)):
            raise ValidationError([str(fault) for fault in listed])
        plan.status, plan.approved_by, plan.approved_at = PlanStatus.APPROVED, by, now
        plan.save(update_fields=["status", "approved_by", "approved_at"])
        mark_all_stale(institution=plan.institution, from_month=date(plan.year, 1, 1), now=now)
    return plan


def reopen(*, by, plan: Plan, now, reason) -> Plan:
    """An approved plan becomes the draft of its next version; why stays in the history."""
    if not reason:
        raise ValidationError(_("Say why: the reason stays in the history."))
    with recorded(by=by, reason=reason), transaction.atomic():
        plan = Plan.objects.select_for_update().select_related("institution").get(pk=plan.pk)
        if plan.status != PlanStatus.APPROVED:
            raise ValidationError(_("The plan is a draft: it can be changed as it is."))
        plan.status, plan.version, plan.approved_by, plan.approved_at = PlanStatus.DRAFT, plan.version + 1, None, None
        plan.save(update_fields=["status", "version", "approved_by", "approved_at"])
        mark_all_stale(institution=plan.institution, from_month=date(plan.year, 1, 1), now=now)
    return plan
