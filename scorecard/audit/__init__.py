"""Cards audited: every field of every stored card beside what an independent, slow computation makes of the same rows.

It reads through the models, row by row, and scores by `indicators.slow` in exact fractions.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random

from django.utils import timezone

from indicators.months import month_range
from scorecard.audit.cards import CardsOfMonth, Comparison, Difference
from scorecard.audit.reading import PlanOfYear, Register, span_of_figures
from scorecard.audit.slowly import SlowYear
from scorecard.models import Card, Recipe
from units.models import Institution

__all__ = ["Audit", "Difference"]


class Audit:
    """Compares stored cards. `compared`: how many cards so far. Population, sheets and trees are read once."""

    def __init__(self, *, now, institution=None, units=None, progress=None):
        """units: how many a month and institution, drawn evenly over the levels below the top; None for all.
        progress: called with (institution code, month, cards compared so far, differences so far)."""
        self.as_of = timezone.localtime(now).date()
        self.wanted_units, self.progress = units, progress
        bodies = Institution.objects.order_by("code")
        self.bodies = [body for body in bodies if institution is None or body.pk == institution.pk]
        self.register = Register()
        self.compared = self.found = 0

    def differences(self, from_month=None, to_month=None):
        """Yield every Difference of the months that have figures; of all of them, or from one to another."""
        span = span_of_figures()
        yield from self._beyond(span, from_month, to_month)
        if span is None:
            return
        first, last = max(from_month or span[0], span[0]), min(to_month or span[1], span[1])
        months = defaultdict(list)
        for month in month_range(first, last):
            months[month.year].append(month)
        for year, wanted in months.items():
            yield from self._year(year, wanted)

    def _beyond(self, span, from_month, to_month):
        """Cards of months in which there should be none."""
        cards = Card.objects.filter(institution_id__in=[body.pk for body in self.bodies])
        if from_month:
            cards = cards.filter(month__gte=from_month)
        if to_month:
            cards = cards.filter(month__lte=to_month)
        if span:
            cards = cards.exclude(month__range=span)
        for card in cards.select_related("unit").only("month", "unit__code"):
            yield self._counted(Difference(card.unit.code, card.month, "", "card", "a card", "none"))

    def _counted(self, difference):
        self.found += 1
        return difference

    def _year(self, year, months):
        """Each institution's months of a year, in the same slow years for all that cite one another."""
        plans = {body.pk: PlanOfYear(body.pk, year) for body in self.bodies}
        drawn = {body.pk: self._drawn(body.pk, months[-1]) for body in self.bodies}
        wanted = self._with_cited(plans, drawn, months)
        slow = {
            i: SlowYear(self.register, i, year, months[-1].month, as_of=self.as_of, wanted=units)
            for i, units in wanted.items()
        }
        for body in self.bodies:
            for month in months:
                cards = CardsOfMonth(slow[body.pk], month.month, plans[body.pk], slow)
                yield from self._month(cards, drawn[body.pk])
                if self.progress:
                    self.progress(body.code, month, self.compared, self.found)

    def _with_cited(self, plans, drawn, months):
        """{institution: units to compute, or None for all}: those to compare, and those whose figures they cite."""
        wanted = dict(drawn)
        for body, plan in plans.items():
            for owner in {line.indicator.institution_id for line in plan.lines} - {body}:
                if drawn[body] is None:
                    wanted[owner] = None
                elif wanted.get(owner, set()) is not None:
                    wanted[owner] = wanted.get(owner, set()) | self._same_places(body, owner, drawn[body], months)
        return wanted

    def _same_places(self, institution, owner, wanted, months):
        """The owner's units that cover the territories of some units in any of the months, with those units' below."""
        found = set()
        for month in months:
            mine = self.register.standing(institution, month)
            places = {mine[unit][2] for unit in self._with_below(mine, wanted)} - {None}
            found |= {u for u, (_, _, place) in self.register.standing(owner, month).items() if place in places}
        return found

    def _with_below(self, standing, wanted):
        found, more = set(), set(wanted) & standing.keys()
        while more:
            found |= more
            more = {unit for unit, (_, parent, _) in standing.items() if parent in found} - found
        return found

    def _drawn(self, institution, month):
        """Units to compare, None for all: as many of each level below the top as its share, the same at every run."""
        if self.wanted_units is None:
            return None
        levels = defaultdict(list)
        standing = self.register.standing(institution, month)
        for unit in standing:
            levels[self._depth(standing, unit)].append(unit)
        if len(levels) > 1:
            levels.pop(0)
        total = sum(map(len, levels.values()))
        draw = Random(f"{institution} {month}")
        return {
            unit
            for level in levels.values()
            for unit in draw.sample(level, min(len(level), max(1, round(self.wanted_units * len(level) / total))))
        }

    def _depth(self, standing, unit):
        depth = 0
        while (unit := standing[unit][1]) is not None:
            depth += 1
        return depth

    def _month(self, cards, drawn):
        """Yield the differences of one institution's month."""
        stored = Card.objects.filter(institution_id=cards.slow.institution, month=cards.month)
        if drawn is not None:
            stored = stored.filter(unit_id__in=drawn)
        stored = {card.unit_id: card for card in stored}
        recipes = Recipe.objects.filter(pk__in={card.recipe_id for card in stored.values()})
        comparison = Comparison(cards, dict(recipes.values_list("pk", "structure")))
        expected = [unit for unit in cards.standing if drawn is None or unit in drawn]
        for unit in expected:
            self.compared += 1
            if unit not in stored:
                code = cards.standing[unit][0]
                yield self._counted(Difference(code, cards.month, "", "card", "none", "a card"))
                continue
            for difference in comparison.differences(stored.pop(unit), unit):
                yield self._counted(difference)
        for card in stored.values():
            yield self._counted(Difference(card.unit.code, cards.month, "", "card", "a card", "none"))
