"""Small countries at random, and random changes of them through the actions alone.

Two institutions, and the State that cites both; units that open, move and close in mid-year; every kind of indicator;
figures missing, provisional, zero.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction

from indicators import actions, sheets
from indicators.codes import LightBy, Rule, Sense
from indicators.models import Assignment, Denominator, Indicator, SheetVersion
from indicators.months import add_months, month_range
from scorecard import plans
from scorecard.models import Objective, Plan, PlanLine
from units import actions as structure
from units.models import Institution, Level, Population, Territory, Unit, UnitPeriod

NOW = datetime(2023, 6, 18, 15, 0, tzinfo=UTC)
FIRST, LAST = date(2022, 11, 1), date(2023, 6, 1)  # the last month is still running
SINCE = date(2020, 1, 1)
RATE = {"denominator_kind": Denominator.POPULATION, "scale": 100_000, "over_units": Rule.RATIO, "over_time": Rule.RATIO}
SHARE = {"denominator_kind": Denominator.REPORTED, "scale": 100, "over_units": Rule.RATIO, "over_time": Rule.RATIO}
WEIGHED = {"denominator_kind": Denominator.REPORTED, "over_units": Rule.WEIGHTED_MEAN, "over_time": Rule.WEIGHTED_MEAN}
SHEETS = {
    "PN.COUNT": {"sense": Sense.LOWER, "is_count": True},
    "PN.RATE": {"sense": Sense.LOWER, "denominator_over_time": Rule.LAST, **RATE},
    "PN.SHARE": {"sense": Sense.HIGHER, **SHARE},
    "PN.WITHIN": {"sense": Sense.WITHIN, "tolerance": 4.0, "over_units": Rule.MEAN, "over_time": Rule.MEAN},
    "PN.BETTER": {"sense": Sense.IMPROVE_LOWER, "light_by": LightBy.MONTH},
    "PN.PARTS": {"sense": Sense.HIGHER, "formula": "[PN.COUNT] / (PN.STOCK + 1)", **SHARE},
    "PN.WHOLE": {
        "sense": Sense.LOWER,
        "formula": "max(PN.PARTS, 2) * 3 - [PN.COUNT] / PN.STOCK",
        "over_time": Rule.MEAN,
    },
    "PN.STOCK": {"sense": Sense.HIGHER, "over_time": Rule.LAST, "light_by": LightBy.MONTH, "frequency": 4},
    "PN.MINUTES": {"sense": Sense.LOWER_INVERSE, **WEIGHED},
    "FG.SHARE": {"sense": Sense.HIGHER, "light_by": LightBy.MONTH, **SHARE},
    "FG.TOP": {"sense": Sense.HIGHER, "over_units": Rule.MAX, "over_time": Rule.MAX},
    "FG.DONE": {"sense": Sense.MILESTONE, "over_units": Rule.NONE, "over_time": Rule.LAST, "light_by": LightBy.MONTH},
    "EC.KEPT": {"sense": Sense.HIGHER},
}


class RandomCountry:
    """A country from a seed. `change()` does one random thing to it, by an action that marks what it made stale."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.territories = self._territories()
        self.institutions = {
            code: Institution.objects.create(code=code, name=code, short_name=code, is_state=code == "EC")
            for code in self.shuffled(["EC", "PN", "FG"])
        }
        self._population()
        self._units()
        self.indicators = {
            code: Indicator.objects.create(code=code, institution=self.institutions[code[:2]])
            for code in self.shuffled(SHEETS)
        }
        for code, about in SHEETS.items():
            self._sheet(code, **about)
        self._assignments()
        for _ in range(3):
            self.change_structure()
        self._new_version()
        self._figures(self.months(), share=self.rng.choice([0.7, 0.95]))
        self._targets(self.months(), share=self.rng.choice([0.5, 0.9]))
        self._approve(self.months()[:-3])
        self._plans()

    # drawing

    def shuffled(self, things):
        things = list(things)
        return [things[i] for i in self.rng.permutation(len(things))]

    def one(self, things):
        things = list(things)
        return things[int(self.rng.integers(len(things)))]

    def chance(self, share):
        return bool(self.rng.random() < share)

    def months(self):
        return list(month_range(FIRST, LAST))

    def month(self, first=date(2022, 12, 1)):
        return self.one(month_range(first, LAST))

    # who and where

    def _territories(self):
        made = {"N": Territory.objects.create(code="N", name="N", level=Level.NATION)}
        for z in ("Z1", "Z2"):
            made[z] = Territory.objects.create(code=z, name=z, level=Level.ZONE, parent=made["N"])
            for d in range(1, int(self.rng.integers(2, 4)) + 1):
                code = f"{z}D{d}"
                made[code] = Territory.objects.create(code=code, name=code, level=Level.DISTRICT, parent=made[z])
        return made

    def _population(self):
        for territory in self.territories.values():
            for year in (2022, 2023):
                if territory.level == Level.DISTRICT or self.chance(0.3):
                    people = int(self.rng.integers(10_000, 90_000)) * (1 if territory.level == Level.DISTRICT else 4)
                    if self.chance(0.9):
                        Population.objects.create(territory=territory, year=year, people=people, source="drawn")

    def _open(self, institution, place, parent, name=None, since=SINCE):
        code = name or f"{institution}-{place}"
        return structure.open_unit(
            by=None,
            institution=self.institutions[institution],
            code=code,
            name=code,
            parent=parent,
            territory=self.territories[place] if place else None,
            from_month=since,
            now=NOW,
        )

    def _units(self):
        state = self._open("EC", "N", None)
        police, prosecutor = self._open("PN", "N", state), self._open("FG", "N", state)
        for code in sorted(self.territories):
            if code.startswith("Z"):
                if len(code) == 2:
                    self._open("EC", code, state)
                    self._open("PN", code, police)
                elif self.chance(0.9):
                    self._open("PN", code, Unit.objects.get(code=f"PN-{code[:2]}"))
                    if self.chance(0.6):
                        self._open("FG", code, prosecutor)
        self._open("PN", None, police, "PN-SPECIAL")

    def standing(self, institution, month):
        periods = UnitPeriod.objects.filter(institution=self.institutions[institution], from_month__lte=month)
        return [p.unit for p in periods.exclude(to_month__lte=month).select_related("unit").order_by("unit__code")]

    def change_structure(self):
        """A unit opens, moves, closes or comes back. What the rules refuse is left as it was."""
        institution, month = self.one(["PN", "PN", "FG", "EC"]), self.month()
        unit, other = self.one(self.standing(institution, month)), self.one(self.standing(institution, month))
        free = [None, *self.territories]
        name = f"{institution}-NEW{Unit.objects.count()}"
        how = {"by": None, "now": NOW}
        try:
            with transaction.atomic():
                act = self.one(["open", "move", "close", "reopen"])
                if act == "open":
                    self._open(institution, self.one(free), other, name, month)
                elif act == "close":
                    structure.close_unit(unit=unit, to_month=month, **how)
                elif act == "move" and unit.parent_id and unit.parent.institution_id == unit.institution_id:
                    structure.move_unit(unit=unit, parent=other, territory=unit.territory, from_month=month, **how)
                elif act == "reopen":
                    closed = Unit.objects.filter(institution=unit.institution).exclude(periods__to_month=None)
                    if closed := closed.first():
                        structure.reopen_unit(unit=closed, parent=other, territory=None, from_month=month, **how)
        except ValidationError:
            return

    # what is promised and measured

    def _sheet(self, code, **about):
        SheetVersion.objects.create(
            indicator=self.indicators[code],
            version=1,
            valid_from=date(2023, 3, 1) if code == "FG.TOP" and self.chance(0.3) else SINCE,
            name=code,
            unit_of_measure="u",
            numerator="n",
            denominator="d" if about.get("denominator_kind") else "",
            baseline_none_because="drawn",
            **about,
        )

    def _assignments(self):
        for code, indicator in self.indicators.items():
            if SHEETS[code].get("formula"):
                continue
            for unit in self.standing(code[:2], FIRST):
                is_leaf = not unit.children.exists()
                if self.chance(0.9 if is_leaf else 0.15):
                    start = self.month() if self.chance(0.1) else SINCE
                    Assignment.objects.create(indicator=indicator, unit=unit, from_month=start)

    def _new_version(self):
        """Another version of a sheet from some month on: its light, months or sense change."""
        indicator = self.one(self.indicators.values())
        former = indicator.sheets.order_by("-valid_from").first()
        same = ("name", "unit_of_measure", "numerator", "denominator", "formula", "denominator_kind", "scale", "sense")
        same += ("over_units", "over_time", "denominator_over_units", "denominator_over_time", "tolerance")
        same += ("light_by", "frequency", "is_count", "baseline_none_because")
        sheet = {name: getattr(former, name) for name in same}
        sheet["light_by"] = LightBy.MONTH if sheet["light_by"] == LightBy.TO_DATE else LightBy.TO_DATE
        if sheet["sense"] in (Sense.LOWER, Sense.HIGHER):
            sheet["sense"] = self.one([Sense.LOWER, Sense.HIGHER, Sense.LOWER_INVERSE])
        if sheet["over_time"] == Rule.SUM:
            sheet |= {"over_time": self.one([Rule.MEAN, Rule.LAST, Rule.MAX]), "frequency": self.one([12, 4])}
        how = {"by": None, "now": NOW, "sheet": sheet}
        try:
            with transaction.atomic():
                if self.chance(0.3):
                    sheets.correct_version(version=former, reason="drawn", **how)
                else:
                    sheets.new_version(indicator=indicator, valid_from=self.month(), **how)
        except ValidationError:
            return

    def _keys(self, months, share):
        """A share of all (month, indicator, unit) that are assigned: arrays."""
        assigned = Assignment.objects.order_by("pk").values_list("indicator_id", "unit_id")
        every = [(m, i, u) for i, u in dict.fromkeys(assigned) for m in months if self.chance(share)]
        month, indicator, unit = zip(*every, strict=True) if every else ((), (), ())
        return np.array(month, "datetime64[M]"), np.array(indicator, np.int64), np.array(unit, np.int64)

    def _is(self, indicators, test):
        held = set(SheetVersion.objects.filter(**test).values_list("indicator_id", flat=True))
        return np.isin(indicators, list(held))

    def _figures(self, months, share, *, blank=0.0):
        keys = self._keys(months, share)
        size = len(keys[1])
        numerators = self.rng.integers(0, 30, size) / self.rng.choice([1, 10], size)
        numerators = np.where(self._is(keys[1], {"is_count": True}), np.round(numerators), numerators)
        numerators = np.where(self._is(keys[1], {"sense": Sense.MILESTONE}), self.rng.integers(0, 2, size), numerators)
        with_denominator = self._is(keys[1], {"denominator_kind": Denominator.REPORTED})
        states = self.rng.choice([0, 1, 2], size, p=[blank, 0.96 - blank, 0.04])
        return actions.record(
            by=None,
            months=keys[0],
            indicators=keys[1],
            units=keys[2],
            numerators=numerators,
            denominators=np.where(with_denominator, self.rng.integers(0, 20, size) / 1.0, np.nan),
            states=states,
            source="test",
            now=NOW,
            accept_valid=True,
        )

    def _targets(self, months, share):
        """Targets of units that report, of some that do not, and of formulas."""
        keys = list(self._keys(months, share))
        more = [(m, i.pk, u.pk) for code, i in self.indicators.items() for u in self.standing(code[:2], LAST)
                for m in months if self.chance(0.5 if "formula" in SHEETS[code] else 0.15)]  # fmt: skip
        every = {*zip(*(key.tolist() for key in keys), strict=True), *more}
        every = sorted(every)
        size = len(every)
        months, indicators, units = (np.array(column) for column in zip(*every, strict=True))
        within, none = self._is(indicators, {"sense": Sense.WITHIN}), np.full(size, np.nan)
        value = self.rng.integers(0, 25, size) / self.rng.choice([1, 10], size)
        value = np.where(self._is(indicators, {"sense": Sense.MILESTONE}), self.rng.integers(0, 2, size), value)
        low = np.where(within & (self.rng.random(size) < 0.8), self.rng.integers(0, 8, size) / 1.0, none)
        high = np.where(within & (self.rng.random(size) < 0.8), self.rng.integers(8, 20, size) / 1.0, none)
        baseline = np.where(
            self._is(indicators, {"sense": Sense.IMPROVE_LOWER}),
            np.round(value + self.rng.integers(-2, 9, size), 1),
            none,
        )
        return actions.set_targets(
            by=None,
            months=months,
            indicators=indicators,
            units=units,
            values=np.where(within | (self.rng.random(size) < 0.03), none, value),
            low=low,
            high=high,
            baseline=baseline,
            now=NOW,
        )

    def _approve(self, months):
        keys = self._keys(months, 0.8)
        return actions.approve(by=None, months=keys[0], indicators=keys[1], units=keys[2], now=NOW)

    # plans

    def _plans(self):
        for institution in ("PN", "FG", "EC"):
            for year in (2022, 2023):
                if self.chance(0.8):
                    self._plan(institution, year)

    def _plan(self, institution, year):
        plan = plans.create_plan(by=None, institution=self.institutions[institution], year=year, now=NOW)
        plan.objectives.all().delete()
        codes = [c for c in SHEETS if c[:2] == institution or (institution == "EC" and self.chance(0.6))]
        held = []
        for n in range(int(self.rng.integers(1, 5))):
            parent = self.one([None, *held])
            what = {"verb": "reduce", "what": f"what {n}", "means": "means", "weight": self.one([10, 33.3, 50, 0])}
            held.append(Objective.objects.create(plan=plan, parent=parent, order=n, **what))
        for n, code in enumerate(self.shuffled(codes)[: int(self.rng.integers(1, 9))]):
            about = {"indicator": self.indicators[code], "weight": self.one([10, 25, 25, 66.7, 0]), "order": n}
            PlanLine.objects.create(plan=plan, objective=self.one(held), **about)

    def _edit_plan(self):
        plan = self.one(Plan.objects.order_by("pk"))
        lines = list(plan.lines.order_by("pk"))
        if self.chance(0.3) and len(lines) > 1:
            return plans.remove_part(by=None, part=self.one(lines), now=NOW, reason="drawn")
        return plans.set_weights(by=None, plan=plan, weights={self.one(lines): self.one([5.0, 40.0, 80.0])}, now=NOW)

    # changes

    def change(self):
        """One random change; its name."""
        kinds = {
            "figures": lambda: self._figures([self.month(FIRST)], 0.2, blank=0.2),
            "one figure": lambda: self._figures([self.month(FIRST)], 0.03),
            "targets": lambda: self._targets([self.month(FIRST)], 0.1),
            "approval": lambda: self._approve([self.month(FIRST)]),
            "structure": self.change_structure,
            "sheet": self._new_version,
            "plan": self._edit_plan,
            "assignments": self._change_assignments,
        }
        name = self.one(kinds)
        kinds[name]()
        return name

    def _change_assignments(self):
        code = self.one(code for code in SHEETS if "formula" not in SHEETS[code])
        month = self.month()
        unit = self.one(self.standing(code[:2], month))
        how = {"by": None, "indicator": self.indicators[code], "units": [unit], "now": NOW}
        try:
            with transaction.atomic():
                if self.chance(0.5):
                    sheets.assign(from_month=month, **how)
                else:
                    sheets.end_assignments(to_month=add_months(month, 1), reason="drawn", **how)
        except ValidationError:
            return
