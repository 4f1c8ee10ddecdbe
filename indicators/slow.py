"""The rules once more, in plain Python with exact fractions: an independent oracle for tests and for audits of scores.

Written from the rules and not from the fast engine: no arrays, one cell at a time, recursion over the tree. Figures
are read as the decimals they print as, so that 6.9 / 6.0 is 1.15 and nothing needs a guard. It takes plain mappings:

sheet: a codes.Sheet. trees: {month: {unit: parent or None}}, months 1..12. figures: {(month, unit): SlowFigure}.
due: set of (month, unit) own assignments. targets: {(month, unit): SlowTarget}. weights: {unit: weight} for ties.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import ceil, exp, floor, isnan, lgamma, log

from .codes import Light, LightBy, Rule, Sense, Sheet, State

LOWER_IS_BETTER = (Sense.LOWER, Sense.LOWER_INVERSE, Sense.IMPROVE_LOWER)
IMPROVEMENTS = (Sense.IMPROVE_HIGHER, Sense.IMPROVE_LOWER)
WEIGHED = (Rule.RATIO, Rule.WEIGHTED_MEAN)


def exact(number) -> Fraction | None:
    """A number as the decimal it prints as; None for None and NaN."""
    if number is None or isinstance(number, Fraction):
        return number
    number = float(number)
    return None if isnan(number) else Fraction(repr(number))


@dataclass
class SlowFigure:
    numerator: float | None = None
    denominator: float | None = None
    declared_na: bool = False
    provisional: bool = False


@dataclass
class SlowTarget:
    value: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None


@dataclass
class Goal:
    """Target, range and baseline a figure meets, and whether any that counts was derived."""

    value: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    baseline: Fraction | None = None
    derived: bool = False


@dataclass
class SlowSpan:
    """A month or a year to date, scored."""

    value: Fraction | None = None
    goal: Goal = field(default_factory=Goal)
    attainment: Fraction | None = None
    state: int = State.NOT_APPLICABLE
    light: int = Light.NONE
    provisional: bool = False
    chance: bool = False
    derived_target: bool = False
    small: bool = False
    direct_form: bool = False


@dataclass
class SlowCell:
    """One unit and month of one indicator."""

    numerator: Fraction | None = None
    denominator: Fraction | None = None
    reported: int = 0
    due: int = 0
    provisional: int = 0
    own_figure: bool = False
    month: SlowSpan = field(default_factory=SlowSpan)
    to_date: SlowSpan = field(default_factory=SlowSpan)
    months_reported: int = 0
    months_due: int = 0
    last_month: int = 0
    worst_child: object = None
    red_below: bool = False

    def driver(self, sheet: Sheet) -> SlowSpan:
        """The span that paints the line."""
        by_month = sheet.light_by == LightBy.MONTH or not adds_up_over_time(sheet)
        return self.month if by_month and not self.month.small else self.to_date


# --- one figure against its target


def attainment(sense: int, v, goal: Goal, tolerance=None) -> Fraction | None:
    """Attainment in %, None where there is no figure or no usable target."""
    if v is None:
        return None
    if sense == Sense.MILESTONE:
        return Fraction(100) if v >= 1 else None if goal.value == 0 else Fraction(0)
    if sense == Sense.WITHIN:
        return _attain_range(v, goal.low, goal.high, exact(tolerance))
    if sense in IMPROVEMENTS:
        return _attain_improvement(sense, v, goal.value, goal.baseline)
    return _attain_direction(sense, v, goal.value)


def _attain_direction(sense: int, v: Fraction, m: Fraction | None) -> Fraction | None:
    if m is None or m < 0:
        return None
    if sense == Sense.HIGHER:
        return 100 * v / m if m > 0 else None
    if m == 0:
        return Fraction(100) if v <= 0 else Fraction(0)
    if sense == Sense.LOWER:
        return 100 * (2 - v / m)
    return Fraction(200) if v <= 0 else min(Fraction(200), 100 * m / v)


def _attain_improvement(sense: int, v: Fraction, m: Fraction | None, b: Fraction | None) -> Fraction | None:
    if m is None or b is None:
        return None
    if promises_better(sense, m, b):
        return 100 * (v - b) / (m - b)
    return _attain_direction(Sense.HIGHER if sense == Sense.IMPROVE_HIGHER else Sense.LOWER, v, m)


def promises_better(sense: int, m: Fraction, b: Fraction) -> bool:
    return m > b if sense == Sense.IMPROVE_HIGHER else m < b


def _attain_range(v: Fraction, low, high, tolerance) -> Fraction | None:
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        return None
    distance = max(low - v if low is not None else 0, v - high if high is not None else 0, 0)
    if distance == 0:
        return Fraction(100)
    return max(Fraction(0), 100 * (1 - distance / tolerance)) if tolerance else Fraction(0)


def shown(raw: Fraction) -> Fraction:
    """As printed: not below 0, half up to a tenth."""
    return max(Fraction(0), Fraction(floor(raw * 10 + Fraction(1, 2)), 10))


def light(raw: Fraction | None) -> int:
    if raw is None:
        return Light.NONE
    printed = shown(raw)
    return Light.GREEN if printed >= 95 else Light.AMBER if printed >= 85 else Light.RED


def in_rollup(raw: Fraction) -> Fraction:
    return min(Fraction(100), max(Fraction(0), raw))


def chance_of_missing(sense: int, v, m) -> float:
    """P(X >= v) if lower is better, P(X <= v) if higher, X Poisson of mean m: summed term by term."""
    lower = sense in LOWER_IS_BETTER
    count = ceil(v) if lower else floor(v) + 1
    if m == 0:
        return float(count <= 0) if lower else float(count > 0)
    terms = [exp(k * log(m) - m - lgamma(k + 1)) for k in range(max(0, count))]
    return 1 - sum(terms) if lower else sum(terms)


# --- figures over units


def divides(sheet: Sheet) -> bool:
    """Whether the denominator divides the numerator (and is not the weight of a mean)."""
    if not sheet.has_denominator or sheet.over_units == Rule.WEIGHTED_MEAN:
        return False
    return not (sheet.over_time == Rule.WEIGHTED_MEAN and sheet.over_units != Rule.RATIO)


def gives_denominator(sheet: Sheet) -> bool:
    """Whether each unit brings its own denominator, never rolled up."""
    return sheet.has_denominator and (sheet.population_denominator or sheet.den_over_units == Rule.NONE)


def value_of(sheet: Sheet, numerator, denominator) -> Fraction | None:
    if numerator is None or not sheet.has_denominator:
        return numerator
    if denominator is None or denominator <= 0:
        return None
    return exact(sheet.scale) * numerator / denominator if divides(sheet) else numerator


def combine(rule: int, numbers: Iterable) -> Fraction | None:
    numbers = [number for number in numbers if number is not None]
    if not numbers:
        return None
    if rule == Rule.MAX:
        return max(numbers)
    return sum(numbers) / (len(numbers) if rule == Rule.MEAN else 1)


def weighted(pairs: Iterable[tuple]) -> Fraction | None:
    """Mean of (number, weight) pairs; None where nothing weighs."""
    pairs = [(number, weight) for number, weight in pairs if number is not None and weight is not None and weight > 0]
    return sum(number * weight for number, weight in pairs) / sum(weight for _, weight in pairs) if pairs else None


class SlowMonth:
    """One month of one indicator, rolled up by recursion from the roots."""

    def __init__(self, sheet: Sheet, tree: Mapping, figures: Mapping, targets: Mapping, due: set, approved_only: bool):
        self.sheet, self.tree, self.figures, self.targets, self.due = sheet, tree, figures, targets, due
        self.approved_only = approved_only
        self.children = {unit: [] for unit in tree}
        for unit, parent in tree.items():
            if parent is not None:
                self.children[parent].append(unit)
        self.cells: dict = {}
        self.goals: dict = {}
        for unit, parent in tree.items():
            if parent is None:
                self._roll(unit)

    def _roll(self, unit) -> None:
        for child in self.children[unit]:
            self._roll(child)
        below = [] if self.sheet.over_units == Rule.NONE else [self.cells[child] for child in self.children[unit]]
        cell = self.cells[unit] = self._own(unit)
        own = (cell.numerator, cell.denominator)
        cell.reported += sum(child.reported for child in below)
        cell.due += sum(child.due for child in below)
        cell.provisional += sum(child.provisional for child in below)
        cell.denominator = self._denominator(unit, own[1], below)
        cell.numerator = self._numerator(cell, own, below)
        cell.month.value = self._value(cell, own, below)
        self.goals[unit] = self._goal(unit, cell)

    def _own(self, unit) -> SlowCell:
        """The unit's own figure, if it counts."""
        figure = self.figures.get(unit) or SlowFigure()
        numerator, denominator = exact(figure.numerator), exact(figure.denominator)
        cell = SlowCell()
        if unit not in self.due or figure.declared_na or self._is_ahead(unit, numerator):
            return cell
        cell.due = 1
        whole = denominator is not None or not self.sheet.has_denominator or gives_denominator(self.sheet)
        if numerator is None or not whole or (self.approved_only and figure.provisional):
            return cell
        cell.own_figure, cell.reported, cell.provisional = True, 1, int(figure.provisional)
        cell.numerator, cell.denominator = numerator, denominator
        return cell

    def _is_ahead(self, unit, numerator) -> bool:
        """A milestone before its date, not done."""
        goal = self.targets.get(unit) or SlowTarget()
        done = numerator is not None and numerator >= 1
        return self.sheet.sense == Sense.MILESTONE and exact(goal.value) == 0 and not done

    def _denominator(self, unit, own, below) -> Fraction | None:
        sheet = self.sheet
        if not sheet.has_denominator:
            return None
        if sheet.over_units == Rule.NONE or gives_denominator(sheet):
            return exact((self.figures.get(unit) or SlowFigure()).denominator)
        rule = Rule.SUM if sheet.over_units == Rule.WEIGHTED_MEAN else sheet.den_over_units
        return combine(rule, [own, *(child.denominator for child in below)])

    def _numerator(self, cell: SlowCell, own, below) -> Fraction | None:
        if self.sheet.over_units in (Rule.SUM, Rule.RATIO):
            return combine(Rule.SUM, [own[0], *(child.numerator for child in below)])
        return own[0]

    def _value(self, cell: SlowCell, own, below) -> Fraction | None:
        """The unit's value; where values and not numerators combine, the numerator is put back to match."""
        sheet = self.sheet
        if sheet.over_units in (Rule.SUM, Rule.RATIO, Rule.NONE):
            return value_of(sheet, cell.numerator, cell.denominator)
        own_den = cell.denominator if gives_denominator(sheet) else own[1]
        mine = value_of(sheet, own[0], own_den)
        if sheet.over_units == Rule.WEIGHTED_MEAN:
            pairs = [(child.month.value, child.denominator) for child in below]
            value = weighted([(mine, own_den), *pairs])
        else:
            value = combine(sheet.over_units, [mine, *(child.month.value for child in below)])
        cell.numerator = value
        if divides(sheet) and value is not None:
            cell.numerator = None if cell.denominator is None else value * cell.denominator / exact(sheet.scale)
        return value

    def _goal(self, unit, cell: SlowCell) -> Goal:
        """Own targets, and what is not set derived from the children that have a figure."""
        own = self.targets.get(unit) or SlowTarget()
        goal = Goal(exact(own.value), exact(own.low), exact(own.high), exact(own.baseline))
        if cell.reported == 0 or cell.own_figure or self.sheet.over_units == Rule.NONE:
            return goal
        within = self.sheet.sense == Sense.WITHIN
        wanted = ["low", "high"] if within and goal.low is None and goal.high is None else []
        if not within and self.sheet.sense != Sense.MILESTONE and goal.value is None:
            wanted.append("value")
        if self.sheet.sense in IMPROVEMENTS and goal.baseline is None:
            wanted.append("baseline")
        for name in wanted:
            found = self._derive(unit, name)
            setattr(goal, name, found)
            goal.derived |= found is not None
        return goal

    def _derive(self, unit, name: str) -> Fraction | None:
        sheet = self.sheet
        weighs = sheet.over_units in WEIGHED or (sheet.over_units == Rule.SUM and divides(sheet))
        pairs = []
        for child in self.children[unit]:
            cell = self.cells[child]
            if cell.month.value is not None and not (weighs and not (cell.denominator or 0) > 0):
                pairs.append((getattr(self.goals[child], name), cell.denominator))
        if not pairs or any(target is None for target, _ in pairs):
            return None
        if weighs:
            return weighted(pairs)
        return combine(sheet.over_units, [target for target, _ in pairs])


# --- figures over the months of a year


def adds_up_over_time(sheet: Sheet) -> bool:
    if sheet.over_time == Rule.NONE:
        return False
    return not (sheet.over_time == Rule.RATIO and sheet.den_over_time == Rule.NONE)


def is_rate(sheet: Sheet) -> bool:
    """Events over a stock (population): the denominator does not add up over time, and targets do."""
    return sheet.over_time == Rule.RATIO and divides(sheet) and sheet.den_over_time in (Rule.LAST, Rule.MEAN, Rule.MAX)


def _to_date_value(sheet: Sheet, months: list) -> Fraction | None:
    """months: (number, cell, goal) that have a figure, in order."""
    cells = [cell for _, cell, _ in months]
    if not cells:
        return None
    if is_rate(sheet):
        top = sum(cell.numerator for cell in cells)
        stocks = [cell.denominator for cell in cells]
        under = stocks[-1] if sheet.den_over_time == Rule.LAST else combine(sheet.den_over_time, stocks)
        return exact(sheet.scale) * top / under
    return _over_time(sheet, [(cell.month.value, cell.denominator) for cell in cells])


def _over_time(sheet: Sheet, pairs: list[tuple]) -> Fraction | None:
    """Values (or targets) with their denominators, taken together by the rule over time; one missing spoils all."""
    if sheet.over_time == Rule.LAST:
        return pairs[-1][0]
    if any(number is None for number, _ in pairs):
        return None
    if sheet.over_time in WEIGHED and not is_rate(sheet):
        return weighted(pairs)
    return combine(Rule.SUM if is_rate(sheet) else sheet.over_time, [number for number, _ in pairs])


def _to_date_goal(sheet: Sheet, months: list) -> Goal:
    goal = Goal()
    if not months:
        return goal
    names = {Sense.WITHIN: ("low", "high"), Sense.IMPROVE_HIGHER: ("value", "baseline")}
    names[Sense.IMPROVE_LOWER] = names[Sense.IMPROVE_HIGHER]
    for name in {"value", *names.get(sheet.sense, ())}:
        pairs = [(getattr(goal_of_month, name), cell.denominator) for _, cell, goal_of_month in months]
        setattr(goal, name, _over_time(sheet, pairs))
    kept = months[-1:] if sheet.over_time == Rule.LAST else months
    goal.derived = any(goal_of_month.derived for _, _, goal_of_month in kept)
    return goal


def _shortened(sheet: Sheet, goal: Goal, share: Fraction) -> Goal:
    """A running month's goal: the part of its days that is over, for what grows with the days."""
    if share == 1 or sheet.sense == Sense.MILESTONE or not (sheet.over_time == Rule.SUM or is_rate(sheet)):
        return goal
    cut = [None if n is None or share == 0 else n * share for n in (goal.value, goal.low, goal.high, goal.baseline)]
    return Goal(*cut, derived=goal.derived)


def _elapsed(year: int, month: int, as_of: date | None) -> Fraction | None:
    """Part of a month that is over; None if it has not begun."""
    days = monthrange(year, month)[1]
    if as_of is None:
        return Fraction(1)
    if as_of < date(year, month, 1):
        return None
    return min(Fraction(1), Fraction((as_of - date(year, month, 1)).days, days))


def _score(sheet: Sheet, span: SlowSpan, due: int, is_reported: bool, coverage: tuple[int, int], provisional: bool):
    """State, light and marks of a span whose value and goal are known."""
    goal = span.goal
    ahead = sheet.sense == Sense.MILESTONE and goal.value == 0 and not (span.value is not None and span.value >= 1)
    raw = attainment(sheet.sense, span.value, goal, sheet.tolerance)
    if due == 0 or ahead:
        span.state = State.NOT_APPLICABLE
    elif not is_reported:
        span.state = State.NO_DATA
    elif raw is None:
        span.state = State.NOT_EVALUABLE
    else:
        span.state, span.attainment = State.EVALUATED, raw
        span.light = Light.WITHHELD if Fraction(*coverage) < Fraction(6, 10) else light(raw)
        span.provisional, span.derived_target = provisional, goal.derived
        span.direct_form = sheet.sense in IMPROVEMENTS and not promises_better(sheet.sense, goal.value, goal.baseline)
        span.chance = _is_chance(sheet, span)


def _is_chance(sheet: Sheet, span: SlowSpan) -> bool:
    m = span.goal.value
    if not sheet.is_count or sheet.sense in (Sense.WITHIN, Sense.MILESTONE) or m is None or not 0 <= m < 120:
        return False
    return light(span.attainment) != Light.GREEN and chance_of_missing(sheet.sense, span.value, m) > 0.05


def slow_year(
    sheet: Sheet,
    trees: Mapping[int, Mapping],
    figures: Mapping,
    targets: Mapping,
    due: set,
    *,
    year: int,
    as_of: date | None = None,
    approved_only: bool = False,
    weights: Mapping | None = None,
) -> dict[tuple, SlowCell]:
    """{(month, unit): SlowCell} of one indicator and year, from the same inputs the fast engine has as arrays."""
    taken: dict = {}
    result: dict = {}
    for number in range(1, 13):
        share = _elapsed(year, number, as_of)
        here = {unit for month, unit in due if month == number} if share is not None else set()
        own = {unit: figure for (month, unit), figure in figures.items() if month == number}
        goals = {unit: target for (month, unit), target in targets.items() if month == number}
        rolled = SlowMonth(sheet, trees[number], own, goals, here, approved_only)
        for unit, cell in rolled.cells.items():
            goal = _shortened(sheet, rolled.goals[unit], Fraction(1) if share is None else share)
            _take_up(sheet, taken.setdefault(unit, []), number, cell, goal, share)
            result[number, unit] = cell
        _find_worst(sheet, rolled, weights or {})
    return result


def _take_up(sheet: Sheet, past: list, number: int, cell: SlowCell, goal: Goal, share) -> None:
    """A unit's month scored, and its year to date with the months before."""
    cell.month.goal = goal
    coverage = (cell.reported, cell.due)
    _score(sheet, cell.month, cell.due, cell.reported > 0, coverage, cell.provisional > 0)
    accrues = sheet.over_time == Rule.SUM or is_rate(sheet)
    counts = cell.month.value is not None and not (share == 0 and accrues)
    if sheet.over_time in WEIGHED:
        counts = counts and cell.denominator is not None and cell.denominator > 0
    past.append((number, cell, goal, counts))
    used = [(month, former, met) for month, former, met, counted in past if counted]
    cell.months_due = sum(former.due > 0 for _, former, _, _ in past)
    cell.months_reported, cell.last_month = len(used), used[-1][0] if used else 0
    if adds_up_over_time(sheet):
        cell.to_date.value, cell.to_date.goal = _to_date_value(sheet, used), _to_date_goal(sheet, used)
        kept = [former for _, former, _ in (used[-1:] if sheet.over_time == Rule.LAST else used)]
        covered = (sum(former.reported for former in kept), sum(former.due for former in kept))
        is_reported = any(former.reported > 0 for _, former, _, _ in past)
        provisional = any(former.provisional > 0 for former in kept)
        _score(sheet, cell.to_date, cell.months_due, is_reported, covered, provisional)
    m = goal.value
    counted = sheet.is_count and sheet.sense not in (Sense.WITHIN, Sense.MILESTONE) and adds_up_over_time(sheet)
    if counted and cell.month.state == State.EVALUATED and m is not None and m < 10:
        cell.month.small, cell.month.light = True, cell.to_date.light


def _find_worst(sheet: Sheet, rolled: SlowMonth, weights: Mapping) -> None:
    for unit, cell in rolled.cells.items():
        lit = []
        for place, child in enumerate(rolled.children[unit]):
            driver = rolled.cells[child].driver(sheet)
            if driver.attainment is not None and driver.light != Light.WITHHELD:
                lit.append((driver.attainment, -weights.get(child, 0), place, child))
        if lit:
            worst = min(lit)
            cell.worst_child, cell.red_below = worst[3], light(worst[0]) == Light.RED
