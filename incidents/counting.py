"""Events into figures: the lowest unit that covers the place, and to which the indicator is assigned, gets the count.

A month that is covered says something of every unit that owes the figure: where none happened, a reported 0. A median
or percentile is of all events below a unit, worked out anew at every level; where no event states its times there is
none.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from incidents import measures
from incidents.coverage import NOBODY, Coverage, month_number, read_land
from incidents.models import TIMED, Category, CountMark, EventRule, Measure
from indicators import actions as indicators
from indicators.models import Assignment, Denominator, Frequency, Indicator, SheetVersion
from indicators.months import add_months
from units.kept import Kept
from units.models import Territory, UnitPeriod

SOURCE = "events"
LOCK_CLASS = 7304
DRAIN_AT_ONCE = 20_000
HELD = """
SELECT indicator_id, month, string_agg(int4send(unit_id), ''), string_agg(float8send(coalesce(numerator, 'NaN')), ''),
    string_agg(float8send(coalesce(denominator, 'NaN')), ''), string_agg(int2send(state), '')
FROM indicators_measurement WHERE month >= %s AND month < %s AND indicator_id = ANY(%s) GROUP BY 1, 2
"""


@dataclass
class Recount:
    """What a recount changed: figures written, figures that said so already, and events that no unit answers for."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    without_unit: dict = field(default_factory=lambda: defaultdict(int))


class Standing:
    """Rules, and who answers for what: read once, and kept by a worker for as long as none of it changes."""

    MODELS = (EventRule, Category, Territory, UnitPeriod, Assignment, SheetVersion, Indicator)

    def __init__(self):
        self.rules = list(EventRule.objects.select_related("indicator").order_by("pk"))
        self.land = read_land()
        self._children = defaultdict(list)
        for pk, parent in Category.objects.values_list("pk", "parent_id"):
            self._children[parent].append(pk)
        self._sheets = {}
        self._coverage = {}

    def coverage(self, indicator):
        if indicator.pk not in self._coverage:
            self._coverage[indicator.pk] = Coverage(indicator, self.land)
        return self._coverage[indicator.pk]

    def categories(self, rule):
        """Ids of the rule's category and of all below it."""
        found, open_ = [], [rule.category_id]
        while open_:
            found.append(open_.pop())
            open_ += self._children[found[-1]]
        return sorted(found)

    def concerned(self, start, end, categories):
        """Rules that hold in a part of [start, end) and count any of these categories; all, where none are named."""
        held = [rule for rule in self.rules if rule.from_month < end and (not rule.to_month or rule.to_month > start)]
        if categories is None:
            return held
        return [rule for rule in held if not categories.isdisjoint(self.categories(rule))]

    def _sheets_of(self, indicator_id):
        if indicator_id not in self._sheets:
            held = SheetVersion.objects.filter(indicator=indicator_id, formula="", frequency=Frequency.MONTHLY)
            self._sheets[indicator_id] = list(held)
        return self._sheets[indicator_id]

    def measured(self, rule, start, end):
        """Month numbers of [start, end) in which the rule holds and its indicator has a sheet that takes its
        figures.
        """
        first = max(month_number(start), month_number(rule.from_month))
        last = min(month_number(end), month_number(rule.to_month)) if rule.to_month else month_number(end)
        months = set()
        for sheet in self._sheets_of(rule.indicator_id):
            if fits(rule, sheet):
                until = month_number(sheet.valid_to) if sheet.valid_to else last
                months.update(range(max(first, month_number(sheet.valid_from)), min(last, until)))
        return sorted(months)


def fits(rule, sheet):
    """Whether a sheet's version takes the figures of a rule: a share brings its denominator, nothing else does; what
    is not rolled up over units is not rolled up in the sheet.
    """
    brings = rule.measure == Measure.SHARE
    return brings == (sheet.denominator_kind == Denominator.REPORTED) and (
        rule.measure not in TIMED or (sheet.over_units == 0 and not sheet.denominator_kind)
    )


STANDING = Kept(Standing, Standing.MODELS)


def figures(rule, standing, asked, start, end, without_unit):
    """The figures of a rule in [start, end), by month number: (units that owe it, numerators, denominators).

    NaN where there is nothing to say: a denominator that the rule does not bring, a percentile without an event.
    """
    months = standing.measured(rule, start, end)
    if not months:
        return {}
    work = _middles if measures.is_timed(rule) else _counts
    found, lost = work(rule, standing, asked, months, start, end)
    if lost:
        without_unit[rule.indicator.code] += lost
    return found


def _counts(rule, standing, asked, months, start, end):
    counts = asked.counts(rule, standing.categories(rule), start, end)
    ordinals, coverage = standing.land.ordinals(counts.place), standing.coverage(rule.indicator)
    found, lost = {}, 0
    for month in months:
        due, unit_of = coverage.of(month)
        here = counts.month == month
        units = np.where(ordinals[here] == NOBODY, NOBODY, unit_of[ordinals[here]])
        answered = units != NOBODY
        at = np.searchsorted(due, units[answered])
        part, every = (np.bincount(at, c[here][answered], len(due)) for c in (counts.part, counts.every))
        lost += int(counts.every[here][~answered].sum())
        found[month] = due, part, every if rule.measure == Measure.SHARE else np.full(len(due), np.nan)
    return found, lost


def _middles(rule, standing, asked, months, start, end):
    at_month, place, minutes = asked.minutes(rule, standing.categories(rule), start, end)
    ordinals, coverage = standing.land.ordinals(place), standing.coverage(rule.indicator)
    found, lost = {}, 0
    for month in months:
        due, unit_of, chains = coverage.chains(month)
        here = at_month == month
        units = np.where(ordinals[here] == NOBODY, NOBODY, unit_of[ordinals[here]])
        lost += int((units == NOBODY).sum())
        owners, middle = measures.middles(units, minutes[here], chains, measures.PERCENT[rule.measure])
        values = np.full(len(due), np.nan)
        owed = np.isin(owners, due)
        values[np.searchsorted(due, owners[owed])] = middle[owed]
        found[month] = due, values, np.full(len(due), np.nan)
    return found, lost


def _said(jobs):
    """What is said so far, by (indicator, month number): unit ids (sorted), numerators, denominators, states."""
    first, last = min(start for _rule, start, _end in jobs), max(end for _rule, _start, end in jobs)
    with connection.cursor() as cursor:
        cursor.execute(HELD, [first, last, sorted({rule.indicator_id for rule, *_ in jobs})])
        rows = cursor.fetchall()
    found = {}
    for indicator, month, *packed in rows:
        columns = [np.frombuffer(p, kind) for p, kind in zip(packed, (">i4", ">f8", ">f8", ">i2"), strict=True)]
        order = np.argsort(columns[0])
        found[indicator, month_number(month)] = [column[order] for column in columns]
    return found


def _differing(said, due, numerator, denominator):
    """Where figures differ from what is said of that indicator and month (None: nothing), bool (len(due),)."""
    silent = np.isnan(numerator)
    if said is None:
        return ~silent
    units, held_num, held_den, state = said
    at = np.minimum(np.searchsorted(units, due), len(units) - 1)
    there = units[at] == due
    same = (held_num[at] == numerator) & _equal(held_den[at], denominator) & (state[at] == 1)
    same |= silent & (state[at] != 1)  # what is declared not applicable stays so where nothing happened
    return np.where(there, ~same, ~silent)


def _equal(some, others):
    return (some == others) | (np.isnan(some) & np.isnan(others))


def recount(*, by, start: date, end: date, now, categories=None, name="", is_simulated=False):
    """Count the months [start, end) again for every event rule over these categories (all, where none are named).

    Writes only figures that differ from what is said, with stale marks, in the caller's transaction. Returns Recount.
    """
    categories = None if categories is None else set(categories)
    wanted = [(start, end, categories)]
    return _recount(wanted, by=by, now=now, name=name, is_simulated=is_simulated)


def _recount(wanted, *, by, now, name, is_simulated):
    """wanted: list of (start, end, categories or None). One write in the end, so that locks are taken in one order."""
    standing, result = STANDING.fresh(), Recount()
    jobs = [(rule, start, end) for start, end, some in wanted for rule in standing.concerned(start, end, some)]
    if not jobs:
        return result
    with transaction.atomic():
        _lock({rule.pk for rule, *_ in jobs})
        asked, rows, said = {}, [], _said(jobs)
        for rule, start, end in jobs:
            answers = asked.setdefault((start, end), measures.Asked())
            for month, found in figures(rule, standing, answers, start, end, result.without_unit).items():
                differs = _differing(said.get((rule.indicator_id, month)), *found)
                result.unchanged += int((~differs).sum())
                if differs.any():
                    rows.append((rule.indicator_id, month, *(part[differs] for part in found)))
        if rows:
            _record(by, rows, now, name, is_simulated, result)
    return result


def _lock(rules):
    """One recount of a rule at a time, to the end of the transaction: what it counts is counted after the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, id) FROM (SELECT unnest(%s::int[]) AS id ORDER BY 1) ids",
            [LOCK_CLASS, sorted(rules)],
        )


def _record(by, rows, now, name, is_simulated, result):
    sizes = [len(units) for _indicator, _month, units, *_ in rows]
    months = np.repeat(np.array([month for _indicator, month, *_ in rows], np.int64), sizes)
    units, numerators, denominators = (np.concatenate([row[n] for row in rows]) for n in (2, 3, 4))
    outcome = indicators.record(
        by=by,
        months=months.astype("datetime64[M]"),
        indicators=np.repeat(np.array([indicator for indicator, *_ in rows], np.int64), sizes),
        units=units,
        numerators=numerators,
        denominators=denominators,
        source=SOURCE,
        kind="events",
        name=name,
        now=now,
        is_provisional=False,
        is_simulated=is_simulated,
        reason=name,
    )
    if outcome.refused:  # what was counted is due by construction: to lose it silently would be worse than to stop
        raise RuntimeError(f"figures counted from events were refused: {outcome.refused[0]}")
    result.created, result.changed = outcome.written.created, outcome.written.changed + outcome.written.blanked


def drain(*, now):
    """Count again what marks say has changed: just their months, and just the rules over their categories.

    The marks go in the transaction that writes the figures, so that a worker that dies loses none. Marks that another
    worker holds are left to it. Returns (marks drained, Recount).
    """
    with transaction.atomic():
        marks = _take_marks(timezone.localtime(now).date())
        if not marks:
            return 0, Recount()
        by_month = defaultdict(set)
        for _pk, month, category in marks:
            by_month[month].add(category)
        wanted = [(month, add_months(month, 1), some) for month, some in sorted(by_month.items())]
        return len(marks), _recount(wanted, by=None, now=now, name="", is_simulated=False)


def has_marks(*, now):
    """Whether there are marks that a drain would take: begun months', and in nobody else's hands."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT FROM {CountMark._meta.db_table} WHERE month <= %s LIMIT 1 FOR UPDATE SKIP LOCKED",
            [timezone.localtime(now).date()],
        )
        return cursor.rowcount > 0


def _take_marks(today):
    """Marks of months that have begun: those of a later one wait for it."""
    table = CountMark._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""DELETE FROM {table} WHERE id = ANY(ARRAY(
                SELECT id FROM {table} WHERE month <= %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )) RETURNING id, month, category_id""",
            [today, DRAIN_AT_ONCE],
        )
        return cursor.fetchall()
