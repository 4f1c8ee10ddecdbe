"""A plan from its workbook: sheets, objectives, lines and targets in one transaction, whole or not at all."""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from indicators import actions, sheets
from indicators.models import Batch, Indicator, Target
from indicators.months import months_of_year
from scorecard import plan_workbook as book
from scorecard import plans
from scorecard.models import Objective, Perspective, Plan, PlanLine, PlanStatus
from units.access import root_of
from units.actions import recorded
from units.files import digest
from units.models import Institution, Unit, User
from units.permissions import Permission, can
from units.refusals import Refusal

MEASURES = {"target": "value", "from": "low", "to": "high", "baseline": "baseline"}
SHEET_FIELDS = [column.name for column in book.SHEETS.columns if column.name not in ("indicator", "valid_from")]
CLOSE_ENOUGH = 0.005


@dataclass
class Taken:
    """What came of a workbook. `done`: {part: {"new", "changed", "removed", "unchanged": n}}."""

    done: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    refused: list = field(default_factory=list)
    plan: Plan | None = None
    is_written: bool = False
    title: str = ""

    def counts(self):
        """(words, number) of each kind of change, for people."""
        words = {
            "objectives": _("objectives"),
            "lines": _("lines"),
            "sheets": _("indicator sheets"),
            "targets": _("targets"),
        }
        what = {"new": _("new"), "changed": _("changed"), "removed": _("removed")}
        found = []
        for part, label in words.items():
            found += [(f"{label}: {said}", self.done[part][key]) for key, said in what.items() if self.done[part][key]]
        return found or [(_("changes"), 0)]


class _Rollback(Exception):  # noqa: N818 - it is no error: it takes the transaction back
    pass


def take_in(*, by, path, now, name="", dry_run=False, allowed: User | None = None) -> Taken:
    """Take a plan's workbook in, into a draft that is made where there is none. Nothing where a row is refused.

    allowed: the person whose permission is asked for; None for an operator at the terminal.
    """
    found = book.parse(path)
    taken = Taken(refused=found.refused)
    reader = _Import(found, taken, by, now, _("import of %(name)s") % {"name": name or path.name})
    try:
        with recorded(by=by, reason=reader.reason):
            reader.run(allowed)
            if taken.refused or dry_run:
                raise _Rollback
            report = {"created": reader.sum("new"), "changed": reader.sum("changed")}
            Batch.objects.create(kind="plan", name=name[:200], sha256=digest(path), by=by, at=now, report=report)
            taken.is_written = True
    except _Rollback:
        pass
    order = {part.title: n for n, part in enumerate(book.PARTS)}
    taken.refused.sort(key=lambda r: (order.get(r.sheet, 9), r.row))
    return taken


def refused_table(refused):
    """Refusals as a table: header and rows."""
    return ["sheet", "row", "field", "rule", "reason"], [[r.sheet, r.row, r.field, r.rule, r.message] for r in refused]


class _Import:
    """One workbook on its way in."""

    def __init__(self, found, taken, by, now, reason):
        self.rows, self.taken, self.by, self.now, self.reason = found.parts, taken, by, now, reason
        self.bad = {(refusal.sheet, refusal.row) for refusal in found.refused}

    def sum(self, key):
        return sum(part[key] for part in self.taken.done.values())

    def refuse(self, row, about, rule, message=""):
        self.bad.add((row.sheet, row.number))
        said = message or str(book.RULES[rule])
        self.taken.refused.append(Refusal(row.number, about, rule, said, row.sheet))

    def good(self, part):
        return [row for row in self.rows[part] if (row.sheet, row.number) not in self.bad]

    @contextmanager
    def row(self, row, about=""):
        """What the domain refuses is refused of this row, under the field that it names."""
        try:
            with transaction.atomic():
                yield
        except ValidationError as error:
            if hasattr(error, "message_dict"):
                for name, messages in error.message_dict.items():
                    self.refuse(row, about if name == "__all__" else name, "not_valid", " ".join(messages))
            else:
                self.refuse(row, about, "not_valid", " ".join(error.messages))

    def run(self, allowed):
        head = next(iter(self.good("plan")), None)
        if head is None or not self._find_plan(head, allowed) or self.taken.refused:
            return  # what stands in cells that could not be read is not judged further
        self._take_sheets()
        self._check_tree()
        if self.taken.refused:
            return
        self._take_objectives()
        self._take_lines()
        self._take_targets()

    # The plan

    def _find_plan(self, head, allowed):
        institution = Institution.objects.filter(code=head.said["institution"].upper()).first()
        if institution is None:
            self.refuse(head, "institution", "unknown_institution")
            return False
        root = root_of(institution)
        if allowed is not None and (root is None or not can(allowed, Permission.MANAGE_PLANS, root)):
            self.refuse(head, "institution", "not_allowed")
            return False
        self.institution, self.year = institution, head.said["year"]
        self.taken.title = f"{institution.local_name} {self.year}"
        self.plan = Plan.objects.filter(institution=institution, year=self.year).first()
        if self.plan is not None and self.plan.status == PlanStatus.APPROVED:
            self.refuse(head, "year", "plan_approved")
            return False
        if self.plan is None:
            with self.row(head, "year"):
                self.plan = plans.create_plan(
                    by=self.by, institution=institution, year=self.year, now=self.now, reason=self.reason
                )
        self.taken.plan = self.plan
        return self.plan is not None

    # Sheets

    def _take_sheets(self):
        rows = self.good("sheets")
        codes = {row.said["indicator"].upper() for row in rows}
        there = {i.code: i for i in Indicator.objects.filter(code__in=codes).select_related("institution")}
        people = {person.username: person for person in User.objects.filter(username__in=self._named(rows))}
        seen = set()
        for row in rows:
            code = row.said["indicator"].upper()
            if code in seen:
                self.refuse(row, "indicator", "repeated")
            elif code in there and there[code].institution_id != self.institution.pk:
                self.refuse(row, "indicator", "foreign_indicator")
            elif (said := self._sheet_of(row, people)) is not None:
                with self.row(row, "indicator"):
                    self._take_sheet(row, code, there.get(code), said)
            seen.add(code)

    def _named(self, rows):
        return {row.said[name] for row in rows for name in ("responsible", "approver") if row.said.get(name)}

    def _sheet_of(self, row, people):
        """The fields that the row says; None where a person is unknown."""
        said = {name: row.said[name] for name in SHEET_FIELDS if row.said.get(name) is not None}
        for name in ("responsible", "approver"):
            if name in said:
                if said[name] not in people:
                    self.refuse(row, name, "unknown_person")
                    return None
                said[name] = people[said[name]]
        return said

    def _take_sheet(self, row, code, indicator, said):
        start = row.said.get("valid_from") or date(self.year, 1, 1)
        common = {"by": self.by, "now": self.now, "reason": self.reason}
        done = self.taken.done["sheets"]
        if indicator is None:
            sheets.add_indicator(institution=self.institution, code=code, valid_from=start, sheet=said, **common)
            done["new"] += 1
            return
        held = indicator.sheets.in_month(start).first()
        if held is not None and all(getattr(held, name) == value for name, value in said.items()):
            done["unchanged"] += 1
        elif held is not None and held.valid_from == start:
            sheets.correct_version(version=held, sheet=said, **common)
            done["changed"] += 1
        else:
            whole = {name: getattr(held, name) for name in SHEET_FIELDS} | said if held is not None else said
            sheets.new_version(indicator=indicator, valid_from=start, sheet=whole, **common)
            done["changed"] += 1

    # Objectives and lines

    def _check_tree(self):
        """Numbers are there once, what they lie below is there, and weights of one place add up."""
        numbers, weights = set(), defaultdict(float)
        last = {}
        for row in self.good("objectives"):
            number = row.said["number"].strip(".")
            parent = number.rpartition(".")[0]
            if number in numbers:
                self.refuse(row, "number", "repeated")
            elif parent and parent not in numbers:
                self.refuse(row, "number", "unknown_objective")
            numbers.add(number)
            weights[parent] += row.said["weight"]
            last[parent] = row
        self._check_lines(numbers, weights, last)
        for place, total in weights.items():
            if abs(total - 100) > CLOSE_ENOUGH:
                message = _("The weights below %(place)s add up to %(total)s, not to 100.")
                said = {"place": place or _("the top"), "total": f"{total:g}"}
                self.refuse(last[place], "weight", "weights", message % said)

    def _check_lines(self, numbers, weights, last):
        codes = {row.said["indicator"].upper() for row in self.good("lines")}
        self.indicators = {i.code: i for i in Indicator.objects.filter(code__in=codes).select_related("institution")}
        seen = set()
        for row in self.good("lines"):
            number, code = row.said["objective"].strip("."), row.said["indicator"].upper()
            if number not in numbers:
                self.refuse(row, "objective", "unknown_objective")
            elif code not in self.indicators:
                self.refuse(row, "indicator", "unknown_indicator")
            elif code in seen:
                self.refuse(row, "indicator", "repeated")
            seen.add(code)
            weights[number] += row.said["weight"]
            last[number] = row

    def _take_objectives(self):
        """Objectives are those of the same number; those that the workbook leaves out are taken out of the draft."""
        outline = plans.outline(self.plan)
        there = {node.number: node.objective for node in outline.root.walk() if node.objective}
        views = {view.name: view for view in self.plan.perspectives.all()}
        self.objectives, wanted = {}, {row.said["number"].strip(".") for row in self.good("objectives")}
        siblings = defaultdict(list)
        for row in self.good("objectives"):
            number = row.said["number"].strip(".")
            parent = number.rpartition(".")[0]
            objective = there.get(number) or Objective(plan=self.plan)
            said = {name: row.said.get(name) or "" for name in ("verb", "what", "what_en", "means", "means_en")}
            said |= {"weight": row.said["weight"], "parent": self.objectives.get(parent)}
            said["perspective"] = self._perspective(row, views)
            with self.row(row, "number"):
                self._save(objective, said, "objectives")
            siblings[parent].append(objective)
            self.objectives[number] = objective
        gone = [objective for number, objective in there.items() if number not in wanted]
        self._remove(gone, "objectives")
        self._put_in_order(siblings.values(), "objectives")

    def _perspective(self, row, views):
        name = row.said.get("perspective")
        if not name:
            return None
        english = row.said.get("perspective_en") or ""
        view = views.get(name)
        if view is None:
            view = Perspective(plan=self.plan, name=name, name_en=english)
            plans.save_part(by=self.by, part=view, now=self.now, reason=self.reason)
            views[name] = view
        elif english and view.name_en != english:
            view.name_en = english
            plans.save_part(by=self.by, part=view, now=self.now, reason=self.reason)
        return view

    def _take_lines(self):
        there = {line.indicator.code: line for line in self.plan.lines.select_related("indicator")}
        siblings = defaultdict(list)
        wanted = {row.said["indicator"].upper() for row in self.good("lines")}
        self._remove([line for code, line in there.items() if code not in wanted], "lines")
        for row in self.good("lines"):
            code, number = row.said["indicator"].upper(), row.said["objective"].strip(".")
            line = there.get(code) or PlanLine(plan=self.plan, indicator=self.indicators[code])
            said = {"objective": self.objectives[number], "weight": row.said["weight"]}
            said |= {name: row.said.get(name) or "" for name in ("no_target_because", "no_baseline_because")}
            with self.row(row, "indicator"):
                self._save(line, said, "lines")
            siblings[number].append(line)
        self._put_in_order(siblings.values(), "lines")

    def _put_in_order(self, groups, kind):
        """Siblings stand as the workbook has them; where they do already, nothing is written."""
        for parts in groups:
            parts = [part for part in parts if part.pk]
            if parts != sorted(parts, key=lambda part: (part.order, part.pk)):
                for order, part in enumerate(parts):
                    self._save(part, {"order": order}, kind)

    def _save(self, part, said, kind):
        """Save a part where it differs from what is said of it."""
        done = self.taken.done[kind]
        is_new = part.pk is None
        if not is_new and all(getattr(part, name) == value for name, value in said.items()):
            done["unchanged"] += 1
            return
        for name, value in said.items():
            setattr(part, name, value)
        plans.save_part(by=self.by, part=part, now=self.now, reason=self.reason)
        done["new" if is_new else "changed"] += 1

    def _remove(self, parts, kind):
        for part in sorted(parts, key=lambda part: -part.pk):
            if type(part).objects.filter(pk=part.pk).exists():
                plans.remove_part(by=self.by, part=part, now=self.now, reason=self.reason)
                self.taken.done[kind]["removed"] += 1

    # Targets

    def _take_targets(self):
        rows = self.good("targets")
        if not rows:
            return
        indicators = {i.code: i for i in Indicator.objects.filter(institution=self.institution)}
        units = {unit.code: unit for unit in Unit.objects.filter(institution=self.institution)}
        cells = self._cells(rows, indicators, units)
        if self.taken.refused or not cells:
            return
        keys = sorted((pair, month) for pair in cells for month in months_of_year(self.year))
        said = {part: [cells[pair][month][part] for pair, month in keys] for part in MEASURES.values()}
        outcome = actions.set_targets(
            by=self.by,
            months=np.array([month for _pair, month in keys], "datetime64[M]"),
            indicators=[pair[0] for pair, _month in keys],
            units=[pair[1] for pair, _month in keys],
            values=said["value"],
            low=said["low"],
            high=said["high"],
            baseline=said["baseline"],
            now=self.now,
            name=self.taken.title,
            reason=self.reason,
        )
        for refusal in outcome.refused:
            pair = keys[refusal.row - 1][0]
            self.refuse(self.first[pair], refusal.field, refusal.rule, refusal.message)
        done = self.taken.done["targets"]
        done["new"], done["changed"] = outcome.written.created, outcome.written.changed
        done["removed"], done["unchanged"] = outcome.written.blanked, outcome.written.unchanged

    def _cells(self, rows, indicators, units):
        """{(indicator, unit): {month: {part: figure}}}: what stands, and over it what the rows say."""
        found, seen, self.first = {}, set(), {}
        pairs = []
        for row in rows:
            indicator = indicators.get(row.said["indicator"].upper())
            unit = units.get(row.said["unit"].upper())
            measure = row.said.get("measure") or "target"
            if indicator is None:
                self.refuse(row, "indicator", "unknown_indicator")
            elif unit is None:
                self.refuse(row, "unit", "unknown_unit")
            elif (indicator.pk, unit.pk, measure) in seen:
                self.refuse(row, "unit", "repeated")
            else:
                seen.add((indicator.pk, unit.pk, measure))
                pairs.append(((indicator.pk, unit.pk), measure, row))
                self.first.setdefault((indicator.pk, unit.pk), row)
        standing = self._standing({pair for pair, _measure, _row in pairs})
        for pair, measure, row in pairs:
            cells = found.setdefault(pair, standing(pair))
            for n, month in enumerate(months_of_year(self.year), 1):
                value = row.said.get(f"m{n:02}")
                cells[month][MEASURES[measure]] = math.nan if value is None else value
        return found

    def _standing(self, pairs):
        there = {}
        months = months_of_year(self.year)
        rows = Target.objects.filter(
            month__in=months, indicator_id__in={i for i, _u in pairs}, unit_id__in={u for _i, u in pairs}
        )
        for row in rows:
            there[row.indicator_id, row.unit_id, row.month] = row

        def of(pair):
            found = {}
            for month in months:
                row = there.get((*pair, month))
                values = {part: getattr(row, part, None) for part in MEASURES.values()}
                found[month] = {part: math.nan if value is None else value for part, value in values.items()}
            return found

        return of
