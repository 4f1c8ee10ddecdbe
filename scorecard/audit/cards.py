"""What the cards of a month should say, by the slow engine; and where a stored card says something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isnan

from indicators.codes import Light, LightBy, Mark, Sense, State, pack_marks, unpack_marks
from indicators.slow import SlowSpan, adds_up_over_time
from indicators.slow_cards import SlowLine, SlowObjective, slow_card
from scorecard.audit.reading import scoring_sheet

TOLERANCE = 1e-9
FIGURES = ("value", "target", "attainment", "high")
NUMBERS = (*FIGURES, *(f"to_date_{name}" for name in FIGURES))
COUNTS = ("marks", "to_date_marks", "to_date_months", "reported", "due", "worst_child")
MONTHS_SHIFT = 8  # to_date_months: months with a figure << 8 | months due


@dataclass(frozen=True)
class Difference:
    """One thing that a stored card says otherwise. indicator: code, or "" for the card as a whole."""

    unit: str
    month: date
    indicator: str
    field: str
    stored: object
    recomputed: object

    def __str__(self):
        of = f" {self.indicator}" if self.indicator else ""
        return f"{self.unit} {self.month:%Y-%m}{of} {self.field}: stored {self.stored}, recomputed {self.recomputed}"


def same(stored, recomputed):
    """Numbers that agree to 1e-9, or are both missing."""
    stored, recomputed = (None if n is None or isnan(n) else float(n) for n in (stored, recomputed))
    if stored is None or recomputed is None:
        return stored is recomputed
    return abs(stored - recomputed) <= TOLERANCE * max(1.0, abs(stored), abs(recomputed))


@dataclass
class Column:
    """An indicator on a unit's card of a month: the slow engine's cells of all figures, and of the approved."""

    sheet: object
    every: object
    approved: object
    siblings: object  # driving spans of the units right below the one whose figure this is: {unit: SlowSpan}

    def is_tied(self, unit):
        """Whether a unit is as bad as the worst one below: either may be named."""
        span, worst = self.siblings.get(unit), self.siblings.get(self.every.worst_child)
        return bool(span and worst and span.light != Light.WITHHELD and same(span.attainment, worst.attainment))

    def numbers(self):
        """What stands in the arrays that are compared as numbers, and in those compared exactly."""
        found = {}
        for prefix, span in (("", self.every.month), ("to_date_", self.every.to_date)):
            within, goal = self.sheet.sense == Sense.WITHIN, span.goal
            found[f"{prefix}value"], found[f"{prefix}attainment"] = span.value, span.attainment
            found[f"{prefix}target"] = goal.low if within else goal.value
            found[f"{prefix}high"] = goal.high if within else None
            found[f"{prefix}marks"] = packed(span, self.every.red_below)
        found["to_date_months"] = self.every.months_reported << MONTHS_SHIFT | self.every.months_due
        found["reported"], found["due"] = self.every.reported, self.every.due
        found["worst_child"] = self.every.worst_child or 0
        driver = self.approved.driver(self.sheet)
        found["approved_attainment"] = driver.attainment
        found["approved_marks"] = packed(driver, self.approved.red_below)
        return found

    def line(self, weight, position, *, approved=False):
        cell = self.approved if approved else self.every
        driver = cell.driver(self.sheet)
        return SlowLine(weight, driver.attainment, driver.state, driver.light, driver.provisional, position)


def packed(span: SlowSpan, red_below) -> int:
    names = ("provisional", "chance", "derived_target", "small", "direct_form")
    flags = {name: getattr(span, name) for name in names}
    return int(pack_marks(span.state, span.light, red_below=red_below, **flags))


def in_words(marks) -> str:
    found = unpack_marks(int(marks))
    flags = [bit.name.lower() for bit in Mark if marks & bit]
    return " ".join([found.state.name.lower(), found.light.name.lower(), *flags])


class CardsOfMonth:
    """The cards of an institution's month. owners: {institution: SlowYear} of those whose indicators its plan cites."""

    def __init__(self, slow, number, plan, owners):
        self.slow, self.number, self.plan, self.owners = slow, number, plan, owners
        self.month = date(slow.year, number, 1)
        self.standing = slow.standing[number]
        self.sheets = slow.sheets_in(number)
        self.cited = {
            line.indicator.code: line.indicator
            for line in plan.lines
            if line.indicator.institution_id != slow.institution
        }
        self.places = {}
        self.summed = {}

    def column(self, code, unit):
        """What the card of a unit shows of an indicator: its own figure, or that of the owner's unit there."""
        owner = self.slow
        if code in self.cited:
            owner = self.owners[self.cited[code].institution_id]
            unit = self._place(owner).get(self.standing[unit][2])
        cell = owner.cell(code, self.number, unit) if unit is not None else None
        if cell is None:
            return None
        sheet = scoring_sheet(owner.sheets_in(self.number)[code])
        below = [u for u, parent in owner.trees[self.number].items() if parent == unit]
        siblings = {u: owner.cell(code, self.number, u).driver(sheet) for u in below}
        return Column(sheet, cell, owner.cell(code, self.number, unit, approved=True), siblings)

    def _place(self, owner):
        """{territory: unit of the owner that covers it this month}."""
        if owner.institution not in self.places:
            standing = owner.standing[self.number]
            self.places[owner.institution] = {t: unit for unit, (_, _, t) in standing.items() if t is not None}
        return self.places[owner.institution]

    def columns(self, unit):
        """{code: Column} of all that the card of a unit shows."""
        found = {code: self.column(code, unit) for code in [*self.sheets, *self.cited]}
        return {code: column for code, column in found.items() if column is not None}

    def sum_up(self, unit):
        """{objective id, or None for the whole card: (SlowCard of all figures, SlowCard of the approved)}."""
        if unit not in self.summed:
            columns = self.columns(unit)
            both = [self._objectives(columns, approved) for approved in (False, True)]
            self.summed[unit] = {key: (slow_card(both[0][key]), slow_card(both[1][key])) for key in both[0]}
        return self.summed[unit]

    def _objectives(self, columns, approved):
        """{objective id, or None: SlowObjective}, lines before the objectives below, as the plan prints them."""
        found = {}

        def made(key, weight, lines, below):
            children = [self._line(line, columns, approved) for line in lines]
            children += [made(o.pk, o.weight, self.plan.lines_of[o.pk], self.plan.children[o.pk]) for o in below]
            found[key] = SlowObjective(weight, children)
            return found[key]

        made(None, 100, [], self.plan.top)
        return found

    def _line(self, line, columns, approved):
        position, column = self.plan.positions.get(line.indicator_id), columns.get(line.indicator.code)
        if column is None:
            return SlowLine(line.weight, None, State.NOT_APPLICABLE, Light.NONE, name=position)
        return column.line(line.weight, position, approved=approved)

    def worst_units(self, unit):
        """Ids of the units right below of lowest score, all that are tied, the first by code first."""
        below = [u for u, (_, parent, _) in self.standing.items() if parent == unit]
        scores = [(round(float(self.sum_up(u)[None][0].score), 9), u) for u in below if self._score(u) is not None]
        lowest = min((score for score, _ in scores), default=None)
        return [u for score, u in scores if score == lowest]

    def _score(self, unit):
        return self.sum_up(unit)[None][0].score


class Comparison:
    """Stored cards of a month beside what they should say."""

    def __init__(self, cards: CardsOfMonth, recipes):
        self.cards, self.recipes, self.plan = cards, recipes, cards.plan
        self.codes = {cards.plan.positions.get(v.indicator_id): code for code, v in cards.sheets.items()}
        self.codes |= {cards.plan.positions.get(i.pk): code for code, i in cards.cited.items()}

    def differences(self, card, unit):
        """Yield every Difference of one stored card."""
        code = self.cards.standing[unit][0]
        columns = self.cards.columns(unit)
        found = [*self._of_card(card, unit, columns), *self._of_arrays(card, unit, columns)]
        return [Difference(code, self.cards.month, *one) for one in found]

    def _of_card(self, card, unit, columns):
        """("", field, stored, recomputed) of what the card says as a whole."""
        summed = self.cards.sum_up(unit)
        every, approved = summed[None]
        numbers = {
            "score": every.score,
            "score_low": every.low,
            "score_high": every.high,
            "coverage": every.coverage,
            "approved_score": approved.score,
            "approved_coverage": approved.coverage,
        }
        yield from (("", n, getattr(card, n), _out(x)) for n, x in numbers.items() if not same(getattr(card, n), x))
        drivers = [columns[line.indicator.code] for line in self.plan.lines if line.indicator.code in columns]
        exact = {
            "light": int(every.light),
            "has_red": every.has_red,
            "is_provisional": any(column.every.driver(column.sheet).provisional for column in drivers),
            "worst_position": -1 if every.worst_line is None else every.worst_line,
            "institution_id": self.cards.slow.institution,
            "parent_id": self.cards.standing[unit][1],
        }
        yield from (("", n, getattr(card, n), x) for n, x in exact.items() if getattr(card, n) != x)
        worst = self.cards.worst_units(unit) or [0]
        if (card.worst_unit_id or 0) not in worst:
            yield "", "worst_unit_id", card.worst_unit_id, worst[0]
        objectives = [summed[o.pk][0].score for o in self.plan.in_order()]
        stored = card.objective_score
        if len(stored) != len(objectives) or not all(map(same, stored, objectives)):
            yield "", "objective_score", stored, [_out(x) for x in objectives]
        yield from self._of_recipe(card)

    def _of_recipe(self, card):
        """What the card says it was made by, against the plan and the sheets as they stand."""
        structure = self.recipes.get(card.recipe_id)
        if structure is None:
            yield "", "recipe", card.recipe_id, "a recipe"
            return
        lines = [[line.indicator_id, self.plan.positions.get(line.indicator_id), line.weight] for line in self._lines()]
        stored = [[line["indicator"], line["position"], line["weight"]] for line in structure["lines"]]
        if stored != lines:
            yield "", "recipe lines", stored, lines
        sheets = {str(v.indicator_id): v.version for v in self.cards.sheets.values()}
        for code, indicator in self.cards.cited.items():
            version = self.cards.owners[indicator.institution_id].sheets_in(self.cards.number).get(code)
            sheets |= {str(indicator.pk): version.version} if version else {}
        if structure["sheets"] != sheets:
            yield "", "recipe sheets", structure["sheets"], sheets

    def _lines(self):
        return self.plan.lines_in_order()

    def _of_arrays(self, card, unit, columns):
        """(indicator, field, stored, recomputed) of every place in the card's arrays, blank ones included."""
        size = max([len(card.value), *(position + 1 for position in self.codes if position is not None)])
        for position in range(size):
            code = self.codes.get(position, "")
            column = columns.get(code)
            expected = column.numbers() if column else {}
            for name in NUMBERS:
                stored = _at(getattr(card, name), position)
                if not same(stored, expected.get(name)):
                    yield code or f"place {position}", name, stored, _out(expected.get(name))
            for name in COUNTS:
                stored, wanted = _at(getattr(card, name), position) or 0, expected.get(name, 0)
                if stored != wanted and not (name == "worst_child" and column and column.is_tied(stored)):
                    words = in_words if "marks" in name else str
                    yield code or f"place {position}", name, words(stored), words(wanted)
            yield from self._of_approved(card, position, code or f"place {position}", column, expected)

    def _of_approved(self, card, position, code, column, expected):
        """Approved figures; none kept apart says that they are those that drive the lights."""
        if card.approved_marks:
            stored = _at(card.approved_attainment, position), _at(card.approved_marks, position) or 0
        else:
            stored = _driving(card, position, column)
        wanted = expected.get("approved_attainment"), expected.get("approved_marks", 0)
        if not same(stored[0], wanted[0]):
            yield code, "approved_attainment", stored[0], _out(wanted[0])
        if stored[1] != wanted[1]:
            yield code, "approved_marks", in_words(stored[1]), in_words(wanted[1])


def _at(array, position):
    return array[position] if position < len(array) else None


def _out(number):
    return None if number is None else float(number)


def _driving(card, position, column):
    marks = _at(card.marks, position) or 0
    by_month = column is not None and (column.sheet.light_by == LightBy.MONTH or not adds_up_over_time(column.sheet))
    if by_month and not marks & Mark.SMALL:
        return _at(card.attainment, position), marks
    return _at(card.to_date_attainment, position), _at(card.to_date_marks, position) or 0
