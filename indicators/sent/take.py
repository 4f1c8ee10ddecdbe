"""Figures of a body into the database, through the same bulk action as files: one transaction, an answer a row."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from django.db import connection, transaction
from msgspec import UNSET

from indicators import actions, bulk, checks
from indicators.models import Indicator, Measurement
from indicators.sent import rules
from indicators.sent.rows import Fault
from units.models import Unit
from units.permissions import Permission

CREATED, UPDATED, BLANKED, UNCHANGED = "created", "updated", "blanked", "unchanged"
REFUSED, CONFLICT = "refused", "conflict"
RESULTS = (CREATED, UPDATED, BLANKED, UNCHANGED, REFUSED, CONFLICT)
ERRORS = 50  # of one row that are told
LISTED = 1_000  # rows of a body up to which each is listed; of a larger one those that were not taken
STATES = {"blank": actions.BLANK, "figure": actions.FIGURE, "not_applicable": actions.NOT_APPLICABLE}
MONTH = re.compile(r"(?:19|2[01])[0-9]{2}-(?:0[1-9]|1[0-2])")
NO_MONTH = np.datetime64("NaT", "M")
ANY, NONE = np.iinfo(np.int64).min, np.iinfo(np.int64).min + 1  # of what was seen: not said; that there was no figure
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Outcome:
    """results: of every row; faults: by its ordinal; held: what stands where a row was in conflict."""

    results: list
    faults: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)
    cut: int | None = None
    is_dry_run: bool = False

    @property
    def counts(self):
        """{result: how many}, with 0 for those that did not occur."""
        found = Counter(self.results)
        return {result: found[result] for result in RESULTS}


@dataclass
class _Said:
    """Rows as arrays (R,): at, which row of the body; ids 0 for unknown codes; figures NaN for none."""

    at: np.ndarray
    months: np.ndarray
    indicators: np.ndarray
    units: np.ndarray
    numerators: np.ndarray
    denominators: np.ndarray
    states: np.ndarray
    seen: np.ndarray  # microseconds since 1970, ANY or NONE

    def only(self, mask):
        return _Said(**{name: column[mask] for name, column in vars(self).items()})

    @property
    def keys(self):
        return self.months, self.indicators, self.units


def take(*, by, institution, table, now, name="", dry_run=False):
    """Record a Table's figures of the institution's units in which the account may enter. Returns Outcome.

    A row with `if_recorded_at` is a conflict where another figure is held than the one that the sender saw, unless it
    says what is held.
    """
    outcome = Outcome([REFUSED] * table.total, dict(table.faults), cut=table.cut, is_dry_run=dry_run)
    said = _said(table, by, institution, outcome)
    if not len(said.at):
        return outcome
    with transaction.atomic():
        known = said.indicators[said.indicators > 0]
        bulk.lock(known)
        held = _held(said)
        is_same = _is_same(said, held)
        conflicts = (said.seen != ANY) & (said.seen != held["recorded_at"]) & ~is_same
        conflicts &= (said.indicators > 0) & (said.units > 0)
        _tell_conflicts(said, held, conflicts, outcome)
        rest = said.only(~conflicts)
        refused = _record(rest, by, now, name, dry_run)
    taken = np.flatnonzero(~conflicts)
    for n, result in zip(said.at[taken].tolist(), _results(said, held, is_same)[taken].tolist(), strict=True):
        outcome.results[n] = result
    _tell_refused(refused, table, outcome)
    return outcome


def _tell_refused(refused, table, outcome):
    shown = {"month": table.month, "indicator": table.indicator, "unit": table.unit}
    place = {row: n for n, row in enumerate(table.at)} if refused else {}
    for refusal in refused:
        column = shown.get(refusal.field)
        value = "" if column is None else column[place[refusal.row]]
        outcome.results[refusal.row] = REFUSED
        outcome.faults[refusal.row] = [Fault(refusal.field, refusal.rule, value)]


def _record(said, by, now, name, dry_run):
    if not len(said.at):
        return []
    return actions.record(
        by=by, months=said.months, indicators=said.indicators, units=said.units, numerators=said.numerators,
        denominators=said.denominators, states=said.states, rows=said.at, source="api", now=now, kind="figures",
        name=name, accept_valid=True, dry_run=dry_run, reason=name,
    ).refused  # fmt: skip


def _said(table, by, institution, outcome):
    """The rows that say something, as arrays; what is wrong with the others goes to the outcome."""
    bad = np.zeros(len(table.at), bool)

    def refuse(where, about, rule, column=None):
        for n in where.tolist():
            if not bad[n]:
                bad[n] = True
                value = "" if column is None else str(column[n])
                outcome.faults[table.at[n]] = [Fault(about, rule, value[:60])]

    months = _months(table.month)
    refuse(np.flatnonzero(np.isnat(months)), "month", "not_a_month", table.month)
    numerators, denominators = (np.array(column, np.float64) for column in (table.numerator, table.denominator))
    has_figure = ~np.isnan(numerators) | ~np.isnan(denominators)
    given = np.array([-1 if word is None else STATES[word] for word in table.state], np.int16)
    without = (given == actions.BLANK) | (given == actions.NOT_APPLICABLE)
    refuse(np.flatnonzero(has_figure & without), "state", "figure_and_state")
    refuse(np.flatnonzero(~has_figure & (given == actions.FIGURE)), "numerator", "figure_missing")
    refuse(np.flatnonzero(~has_figure & (given == -1)), "numerator", "nothing_said")
    states = np.where((given == -1) & has_figure, actions.FIGURE, given)
    indicators = _ids(table.indicator, Indicator.objects.visible_to(by))
    units = _ids(table.unit, Unit.objects.visible_to(by))
    allowed = Unit.objects.visible_to(by, Permission.ENTER).filter(institution=institution)
    refuse(np.flatnonzero((units > 0) & (_ids(table.unit, allowed) == 0)), "unit", "not_allowed", table.unit)
    said = _Said(
        np.array(table.at, np.int64), months, indicators, units, numerators, denominators, states, _seen(table.seen)
    )
    known = (indicators > 0) & (units > 0) & ~np.isnat(months)
    repeated = np.zeros(len(bad), bool)
    repeated[known] = checks.repeated(months[known], indicators[known], units[known])
    refuse(np.flatnonzero(repeated), "unit", "repeated", table.unit)
    return said.only(~bad)


def _months(written):
    known = {text: np.datetime64(text, "M") if MONTH.fullmatch(text) else NO_MONTH for text in set(written)}
    return np.array([known[text] for text in written], "datetime64[M]")


def _ids(codes, queryset):
    """Ids of codes (R,) int64; 0 for a code that is not there, or that the account does not see."""
    written = {code for code in codes if "\0" not in code}  # which no text of the database has
    known = dict(queryset.filter(code__in=written).order_by().values_list("code", "pk"))
    return np.array([known.get(code, 0) for code in codes], np.int64)


def _seen(instants):
    if all(at is UNSET for at in instants):
        return np.full(len(instants), ANY)
    return np.array([ANY if at is UNSET else NONE if at is None else _micros(at) for at in instants], np.int64)


def _micros(at):
    passed = at - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _held(said):
    """What is held under the keys now: arrays (R,); state BLANK and recorded_at NONE where there is nothing."""
    rows = len(said.at)
    held = {
        "numerator": np.full(rows, np.nan),
        "denominator": np.full(rows, np.nan),
        "state": np.zeros(rows, np.int16),
        "recorded_at": np.full(rows, NONE),
    }
    months = said.months.astype("datetime64[D]").astype(object).tolist()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT k.row - 1, t.numerator, t.denominator, t.state, t.recorded_at
            FROM unnest(%s::date[], %s::int[], %s::int[]) WITH ORDINALITY AS k(month, indicator_id, unit_id, row)
            JOIN {Measurement._meta.db_table} t USING (month, indicator_id, unit_id)
            WHERE t.month >= '{min(months)}' AND t.month <= '{max(months)}'""",
            [months, said.indicators.tolist(), said.units.tolist()],
        )
        found = cursor.fetchall()
    if found:
        at, numerators, denominators, states, recorded = zip(*found, strict=True)
        at = list(at)
        held["numerator"][at] = np.array(numerators, np.float64)
        held["denominator"][at] = np.array(denominators, np.float64)
        held["state"][at] = states
        held["recorded_at"][at] = [_micros(instant) for instant in recorded]
    return held


def _is_same(said, held):
    figure = said.states == actions.FIGURE
    same = said.states == held["state"]
    for name, values in (("numerator", said.numerators), ("denominator", said.denominators)):
        same &= ~figure | (values == held[name]) | (np.isnan(values) & np.isnan(held[name]))
    return same


def _results(said, held, is_same):
    was_there = held["state"] != actions.BLANK
    is_blank = said.states == actions.BLANK
    return np.select([is_same, is_blank, was_there], [UNCHANGED, BLANKED, UPDATED], CREATED)


def _tell_conflicts(said, held, conflicts, outcome):
    names = {state: word for word, state in STATES.items()}
    for n in np.flatnonzero(conflicts).tolist():
        row = int(said.at[n])
        outcome.results[row] = CONFLICT
        outcome.faults[row] = [Fault("if_recorded_at", "changed_since")]
        outcome.held[row] = None
        if held["recorded_at"][n] != NONE:
            numerator, denominator = (float(held[name][n]) for name in ("numerator", "denominator"))
            outcome.held[row] = {
                "numerator": None if np.isnan(numerator) else numerator,
                "denominator": None if np.isnan(denominator) else denominator,
                "state": names[int(held["state"][n])],
                "recorded_at": datetime.fromtimestamp(int(held["recorded_at"][n]) / 1_000_000, UTC),
            }


def answer(outcome):
    """Members of the answer to a request: counts, and rows in the order in which they came."""
    said = {**outcome.counts, "items": [_item(outcome, n) for n in _listed(outcome)]}
    if outcome.is_dry_run:
        said["dry_run"] = True
    if outcome.cut is not None:
        words = str(rules.BODY["body_cut"]) % {"at": outcome.cut}
        said["cut"] = {"item": outcome.cut, "rule": "body_cut", "message": words}
    return said


def _listed(outcome):
    rows = len(outcome.results)
    return range(rows) if rows <= LISTED else sorted(outcome.faults)


def _item(outcome, n):
    result = outcome.results[n]
    said = {"index": n, "result": result}
    if result in (REFUSED, CONFLICT):
        said["status"] = 409 if result == CONFLICT else 422
        said["errors"] = [_described(fault) for fault in outcome.faults[n][:ERRORS]]
    if n in outcome.held:
        said["held"] = outcome.held[n]
    return said


def _described(fault):
    words = str((rules.REFUSED | rules.CONFLICT)[fault.rule])
    message = f"{words} ({fault.value})" if fault.value else words
    return {"field": fault.field, "rule": fault.rule, "message": message}
