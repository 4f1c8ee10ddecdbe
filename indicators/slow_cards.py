"""Scores of cards once more, in plain Python with exact fractions: the oracle's second half. See `slow`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .codes import Light, State
from .slow import exact, in_rollup, light


@dataclass
class SlowLine:
    """One line of a card: what drives it."""

    weight: float
    attainment: Fraction | float | None = None
    state: int = State.EVALUATED
    light: int | None = None
    provisional: bool = False
    name: object = None

    def counts(self) -> bool:
        return self.state == State.EVALUATED and self.light != Light.WITHHELD


@dataclass
class SlowObjective:
    weight: float
    children: list = field(default_factory=list)  # SlowLine and SlowObjective


@dataclass
class SlowCard:
    """The score of one objective, or of the whole card."""

    score: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    coverage: Fraction | None = None
    state: int = State.NOT_APPLICABLE
    light: int = Light.NONE
    provisional: bool = False
    has_red: bool = False
    without_data: int = 0
    not_evaluable: int = 0
    worst_line: object = None


def slow_card(objective: SlowObjective) -> SlowCard:
    """The score of an objective with everything below it."""
    parts = [
        (exact(child.weight), slow_line(child) if isinstance(child, SlowLine) else slow_card(child))
        for child in objective.children
    ]
    parts = [(weight, part) for weight, part in parts if part.state != State.NOT_APPLICABLE]
    card = SlowCard()
    if not parts:
        return card
    card.has_red = any(part.has_red for _, part in parts)
    card.without_data = sum(part.without_data for _, part in parts)
    card.not_evaluable = sum(part.not_evaluable for _, part in parts)
    lines = sorted(_weighed_lines(objective), key=lambda pair: -pair[0])
    worst = [(exact(line.attainment), place, line.name) for place, (_, line) in enumerate(lines) if line.counts()]
    card.worst_line = min(worst)[2] if worst else None
    card.state = State.NOT_EVALUABLE
    due = sum(weight for weight, _ in parts)
    if due > 0:
        _weigh(card, parts, due)
        is_provisional = any(line.counts() and line.provisional for _, line in lines)
        card.provisional = is_provisional and card.state == State.EVALUATED
    return card


def slow_line(line: SlowLine) -> SlowCard:
    """A line as a card of its own: scored, or open between 0 and 100."""
    card = SlowCard(low=Fraction(0), high=Fraction(100), coverage=Fraction(0), state=line.state)
    if line.counts():
        raw = exact(line.attainment)
        card.score = card.low = card.high = in_rollup(raw)
        card.coverage, card.has_red = Fraction(1), light(raw) == Light.RED
    else:
        card.not_evaluable = int(line.state == State.NOT_EVALUABLE)
        card.without_data = 1 - card.not_evaluable
    return card


def _weigh(card: SlowCard, parts: list, due: Fraction) -> None:
    scored = [(weight, part) for weight, part in parts if part.score is not None]
    weight_scored = sum(weight for weight, _ in scored)
    card.coverage = sum(weight * part.coverage for weight, part in scored) / due
    card.low = sum(weight * (part.low or 0) for weight, part in parts) / due
    card.high = sum(weight * (100 if part.high is None else part.high) for weight, part in parts) / due
    if not weight_scored:
        card.state = State.NO_DATA if card.without_data else State.NOT_EVALUABLE
        return
    card.state, card.light = State.EVALUATED, Light.WITHHELD
    if card.coverage >= Fraction(6, 10):
        card.score = sum(weight * part.score for weight, part in scored) / weight_scored
        card.light = light(card.score)


def _weighed_lines(objective: SlowObjective, share: Fraction = Fraction(1)) -> list[tuple[Fraction, SlowLine]]:
    """Every line below with its part of the objective's weight."""
    total = sum(exact(child.weight) for child in objective.children)
    found = []
    for child in objective.children:
        part = share * exact(child.weight) / total if total else Fraction(0)
        found.extend([(part, child)] if isinstance(child, SlowLine) else _weighed_lines(child, part))
    return found
