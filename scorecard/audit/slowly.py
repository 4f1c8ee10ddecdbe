"""One institution's year computed by the slow engine: cells of its indicators, as they read in each month."""

from __future__ import annotations

from datetime import date

from indicators.models import Denominator
from indicators.slow import SlowCell, SlowFigure, SlowTarget, slow_year, value_of
from scorecard.audit.formulas import Formula
from scorecard.audit.reading import holds, read_assignments, read_figures, read_targets, scoring_sheet


class SlowYear:
    """January to `last` of an institution's year. `wanted`: ids of units to compute, with all that stands below them in
    any of the months; None for all. A year to date is read by the sheets in force in its month."""

    def __init__(self, register, institution, year, last, *, as_of, wanted=None):
        self.register, self.institution, self.year, self.last, self.as_of = register, institution, year, last, as_of
        self.standing = {n: register.standing(institution, date(year, n, 1)) for n in range(1, last + 1)}
        self.units = self._below(wanted)
        self.trees = {
            n: {u: p if p in self.units else None for u, (_, p, _) in self._kept(n)} for n in range(1, last + 1)
        } | {n: {} for n in range(last + 1, 13)}
        self.known, self.of_month = {}, {}
        self.read = set()
        self.figures, self.targets, self.assigned = {}, {}, {}

    def _below(self, wanted):
        pairs = {(unit, parent) for now in self.standing.values() for unit, (_, parent, _) in now.items()}
        if wanted is None:
            return {unit for unit, _ in pairs}
        found, more = set(), set(wanted)
        while more:
            found |= more
            more = {unit for unit, parent in pairs if parent in found} - found
        return found

    def _kept(self, n):
        return [(unit, about) for unit, about in self.standing[n].items() if unit in self.units]

    def sheets_in(self, n):
        return self.register.sheets_in(self.institution, date(self.year, n, 1))

    def cell(self, code, n, unit, *, approved=False):
        """A unit's cell of an indicator in a month, by the sheets in force in it; None where no sheet is."""
        key = code, n, approved
        if key not in self.of_month:
            held = self.sheets_in(n)
            self.of_month[key] = self.cells(code, held, approved) if code in held else None
        cells = self.of_month[key]
        return None if cells is None else cells.get((n, unit), SlowCell())

    def cells(self, code, held, approved):
        """{(month, unit): SlowCell} of an indicator by the sheets `held`: {code: version}."""
        needed = self._needed(code, held)
        key = (approved, code, *(held[c].pk for c in needed))
        if key not in self.known:
            version = held[code]
            if approved and not any(self._has_provisional(held[c]) for c in needed):
                self.known[key] = self.cells(code, held, False)
            elif version.formula:
                self.known[key] = self._of_formula(version, held, approved)
            else:
                self.known[key] = self._reported(version, approved)
        return self.known[key]

    def _needed(self, code, held):
        """The code and all that its formula rests on, as far as it is in force."""
        found, more = [], [code]
        while more:
            here = more.pop()
            if here not in found and here in held:
                found.append(here)
                if held[here].formula:
                    more += Formula(held[here].formula).codes
        return found

    def _has_provisional(self, version):
        self._read(version.indicator_id)
        return any(figure.provisional for figure in self.figures[version.indicator_id].values())

    def _read(self, indicator):
        if indicator not in self.read:
            self.read.add(indicator)
            units = self.units if len(self.units) < len(self.standing[self.last]) else None
            self.figures[indicator] = read_figures([indicator], self.year, self.last, units)[indicator]
            self.targets[indicator] = read_targets([indicator], self.year, self.last, units)[indicator]
            self.assigned[indicator] = read_assignments([indicator])[indicator]

    def _every(self):
        """(month, unit) of all that stands."""
        return [(n, unit) for n in range(1, self.last + 1) for unit in self.trees[n]]

    def _reported(self, version, approved):
        self._read(version.indicator_id)
        said = self.figures[version.indicator_id]
        figures = {}
        for n, unit in self._every():
            figure = said.get((n, unit)) or SlowFigure()
            denominator = figure.denominator
            if version.denominator_kind == Denominator.POPULATION:
                denominator = self.register.people(self.standing[n][unit][2], self.year)
            elif version.denominator_kind == Denominator.NONE:
                denominator = None
            figures[n, unit] = SlowFigure(figure.numerator, denominator, figure.declared_na, figure.provisional)
        due = {(n, unit) for n, unit in self._assigned(version) if n % (12 // version.frequency) == 0}
        return self._year(version, figures, due, approved)

    def _assigned(self, version):
        for assignment in self.assigned[version.indicator_id]:
            for n in range(1, self.last + 1):
                month = date(self.year, n, 1)
                if assignment.unit_id in self.trees[n] and holds(assignment.from_month, assignment.to_month, month):
                    yield n, assignment.unit_id

    def _year(self, version, figures, due, approved):
        targets = self.targets[version.indicator_id]
        return slow_year(
            scoring_sheet(version),
            self.trees,
            {key: figures[key] for key in self._every() if key in figures},
            {key: targets.get(key) or SlowTarget() for key in self._every()},
            due,
            year=self.year,
            as_of=self.as_of,
            approved_only=approved,
        )

    def _of_formula(self, version, held, approved):
        """A formula's figure stands at every unit, of what its indicators come to there; due where all of them are."""
        self._read(version.indicator_id)
        needed = [c for c in self._needed(version.indicator.code, held) if not held[c].formula]
        reported = {c: self.cells(c, held, approved) for c in needed}
        figures, due = {}, set()
        for key in self._every():
            cells = [reported[c][key] for c in needed]
            numerator, denominator = self._evaluated(version, held, approved, key)
            provisional = any(cell.provisional > 0 for cell in cells)
            figures[key] = SlowFigure(numerator, denominator, False, provisional)
            if all(cell.due > 0 for cell in cells):
                due.add(key)
        return self._year(version, figures, due, False)

    def _evaluated(self, version, held, approved, key):
        """Numerator and denominator of a formula at (month, unit)."""
        formula = Formula(version.formula)
        known = {code: self._value(code, held, approved, key) for code in formula.codes}
        over, under = formula.parts(divided=version.denominator_kind != Denominator.NONE)
        return formula.evaluate(over, known), None if under is None else formula.evaluate(under, known)

    def _value(self, code, held, approved, key):
        """What an indicator comes to at (month, unit); None where it is missing or no sheet of it is in force."""
        version = held.get(code)
        if version is None:
            return None
        if version.formula:
            numerator, denominator = self._evaluated(version, held, approved, key)
            sheet = scoring_sheet(version)
            return numerator if denominator is None and numerator is None else value_of(sheet, numerator, denominator)
        return self.cells(code, held, approved)[key].month.value
