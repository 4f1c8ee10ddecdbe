"""What cards are made by: the plan of the year as it stands, frozen as a structure that pages and auditors read
back.
"""

import json
from functools import cached_property
from hashlib import sha256

import numpy as np
from django.db import connection, transaction

from indicators.cards import PlanTree
from scorecard.models import Plan, Position, Recipe

LOCK_CLASS = 7303
RULES_VERSION = "1"  # of the formulas in indicators/: raised when the same figures would give other lights


class Blueprint:
    """An institution's plan of a year (or none), and the positions of all that its cards hold."""

    def __init__(self, institution_id, year, own_ids):
        self.institution_id, self.year = institution_id, year
        plans = Plan.objects.filter(institution_id=institution_id, year=year)
        self.plan = plans.prefetch_related("objectives__perspective", "lines__indicator").first()
        self.objectives, self.lines = _in_order(self.plan) if self.plan else ([], [])
        cited = [line.indicator_id for _, line, _ in self.lines]
        self.positions = ensure_positions(institution_id, [*own_ids, *(i for i in cited if i not in set(own_ids))])
        self.size = max(self.positions.values(), default=-1) + 1
        self.digests = {}

    def still_holds(self):
        """Whether positions are as they were read: those given in a transaction that came to nothing are not."""
        return _positions(self.institution_id) == self.positions

    def recipe(self, versions, tree_digest, now):
        """The id of the recipe of these sheets and this tree. versions: {indicator id: SheetVersion}."""
        key = tree_digest, tuple(sorted((i, v.pk) for i, v in versions.items()))
        if key in self.digests:  # looked up all the same: the transaction that wrote it may have come to nothing
            held = Recipe.objects.filter(digest=self.digests[key]).values_list("pk", flat=True).first()
            if held:
                return held
        structure = self.structure(versions, tree_digest)
        self.digests[key] = _digest(structure)
        return recipe_of(structure, now)

    @cached_property
    def cited(self):
        """Indicators of other institutions on the plan: {indicator id: owner id}."""
        owners = {line.indicator_id: line.indicator.institution_id for _, line, _ in self.lines}
        return {i: owner for i, owner in owners.items() if owner != self.institution_id}

    @cached_property
    def line_positions(self):
        return np.array([self.positions[line.indicator_id] for _, line, _ in self.lines], np.int64)

    @cached_property
    def tree(self):
        """The plan's tree for scoring; node 0 is the card, objectives follow."""
        index = {objective.pk: i + 1 for i, (objective, _, _) in enumerate(self.objectives)}
        return PlanTree.of(
            [-1, *(index.get(o.parent_id, 0) for o, _, _ in self.objectives)],
            [100.0, *(o.weight for o, _, _ in self.objectives)],
            [index[objective.pk] for objective, _, _ in self.lines],
            [line.weight for _, line, _ in self.lines],
        )

    def structure(self, versions, tree_digest):
        """What is frozen in a recipe. versions: {indicator id: SheetVersion in force}, cited ones included."""
        return {
            "institution": self.institution_id,
            "year": self.year,
            "plan": self.plan.pk if self.plan else None,
            "plan_version": self.plan.version if self.plan else None,
            "plan_status": self.plan.status if self.plan else None,
            "rules": RULES_VERSION,
            "tree": tree_digest,
            "sheets": {str(i): v.version for i, v in sorted(versions.items())},
            "objectives": [_objective(o, parent, number) for o, parent, number in self.objectives],
            "lines": [
                self._line(objective, line, number, versions.get(line.indicator_id))
                for objective, line, number in self.lines
            ],
        }

    def _line(self, objective, line, number, sheet):
        index = [o.pk for o, _, _ in self.objectives].index(objective.pk)
        owner = line.indicator.institution_id
        return {
            "indicator": line.indicator_id,
            "code": line.indicator.code,
            "position": self.positions[line.indicator_id],
            "objective": index,
            "number": number,
            "weight": line.weight,
            "own": owner == self.institution_id,
            "institution": owner,
            **(_sheet(sheet) if sheet else _sheet_missing(line.indicator.code)),
        }


def _sheet(sheet):
    names = ("name", "name_en", "unit_of_measure", "unit_of_measure_en", "decimals", "sense", "light_by", "is_count")
    return {
        **{name: getattr(sheet, name) for name in names},
        "scale": sheet.scale,
        "tolerance": sheet.tolerance,
        "has_denominator": sheet.denominator_kind != 0,
        "version": sheet.version,
    }


def _sheet_missing(code):
    empty = dict.fromkeys(("name_en", "unit_of_measure", "unit_of_measure_en"), "")
    numbers = {"decimals": 0, "sense": 1, "light_by": 2, "is_count": False, "scale": 1.0, "tolerance": None}
    return {"name": code, **empty, **numbers, "has_denominator": False, "version": None}


def _objective(objective, parent, number):
    texts = ("verb", "what", "what_en", "means", "means_en")
    perspective = objective.perspective
    return {
        "id": objective.pk,
        "parent": parent,
        "number": number,
        "weight": objective.weight,
        "perspective": {"name": perspective.name, "name_en": perspective.name_en} if perspective else None,
        **{name: getattr(objective, name) for name in texts},
    }


def _in_order(plan):
    """Objectives as (objective, index of its parent or -1, number) and lines as (objective, line, number), as read."""
    by_parent, lines_of = {}, {}
    for objective in plan.objectives.all():
        by_parent.setdefault(objective.parent_id, []).append(objective)
    for line in plan.lines.all():
        lines_of.setdefault(line.objective_id, []).append(line)
    objectives, lines = [], []

    def walk(parent_id, parent_index, prefix, taken):
        """Numbers of objectives below one go on after those of its lines, so that none is given twice."""
        for n, objective in enumerate(by_parent.get(parent_id, []), start=taken + 1):
            number, index = f"{prefix}{n}", len(objectives)
            objectives.append((objective, parent_index, number))
            own = lines_of.get(objective.pk, [])
            lines.extend((objective, line, f"{number}.{k}") for k, line in enumerate(own, start=1))
            walk(objective.pk, index, f"{number}.", len(own))

    walk(None, -1, "", 0)
    return objectives, lines


def ensure_positions(institution_id, indicator_ids):
    """The positions of indicators in an institution's cards; new ones are given the next free places, for ever."""
    held = _positions(institution_id)
    if any(i not in held for i in indicator_ids):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, institution_id])
            held = _positions(institution_id)
            start = max(held.values(), default=-1) + 1
            missing = [i for i in dict.fromkeys(indicator_ids) if i not in held]
            made = {indicator: start + n for n, indicator in enumerate(missing)}
            Position.objects.bulk_create(
                Position(institution_id=institution_id, indicator_id=i, position=p) for i, p in made.items()
            )
            held |= made
    return held


def _positions(institution_id):
    return dict(Position.objects.filter(institution_id=institution_id).values_list("indicator_id", "position"))


def recipe_of(structure, now):
    """The id of the recipe with this structure, written once."""
    recipe, _made = Recipe.objects.get_or_create(
        digest=_digest(structure),
        defaults={"institution_id": structure["institution"], "structure": structure, "made_at": now},
    )
    return recipe.pk


def _digest(structure):
    return sha256(json.dumps(structure, sort_keys=True).encode()).hexdigest()
