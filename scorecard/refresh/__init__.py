"""Cards from figures: whole columns are computed again, and just the cards that changed are written.

A stale mark is (month, institution, indicator). Draining it computes that column for all units, for that month and the
year's later ones (their year to date holds it), and passes it on to the institutions whose plans cite it. `refresh`
does the
same for every column. Both go through the same pure functions of indicators/, so that neither can drift from the other.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from indicators.models import Assignment, Indicator, SheetVersion, StaleMark
from indicators.months import add_months
from scorecard.models import Objective, Perspective, Plan, PlanLine
from scorecard.refresh.axis import People
from scorecard.refresh.columns import Source
from scorecard.refresh.figures import read_versions
from scorecard.refresh.formulas import with_dependents
from scorecard.refresh.kept import forget_all
from scorecard.refresh.recipes import Blueprint
from scorecard.refresh.rows import lock_years
from scorecard.refresh.year import YearOfCards
from units.kept import is_settled, stamp
from units.models import Institution, Territory, Unit, UnitPeriod

logger = logging.getLogger(__name__)
DRAIN_AT_ONCE = 5_000


@dataclass
class Changed:
    """How many cards were written, and how many taken out because their unit does not stand."""

    written: int = 0
    removed: int = 0

    def __iadd__(self, other):
        self.written += other.written
        self.removed += other.removed
        return self


class Sources:
    """Institutions as read once, with their plans and the population of territories; read again when any of it has
    changed.
    """

    MODELS = (
        UnitPeriod, Unit, SheetVersion, Indicator, Assignment, Territory, Plan, Perspective, Objective, PlanLine,
    )  # fmt: skip

    def __init__(self):
        self.stamp = None
        self.keep_fresh()

    def keep_fresh(self):
        """Forget what was read before a change that came meanwhile. With the year's lock held, none can be lost."""
        now = stamp(self.MODELS)
        if self.stamp is None or now != self.stamp:
            self.stamp = now if is_settled(self.MODELS) else None
            self.people, self.known, self.blueprints = People(), {}, {}
        self.people.look_again()

    def __getitem__(self, institution_id):
        if institution_id not in self.known:
            self.known[institution_id] = Source(institution_id, self.people)
        return self.known[institution_id]

    def blueprint(self, institution_id, year):
        """The institution's plan of the year, with the positions in its cards."""
        held = self.blueprints.get((institution_id, year))
        if held is None or not held.still_holds():
            held = Blueprint(institution_id, year, self[institution_id].indicator_ids)
            self.blueprints[institution_id, year] = held
        return held


_OF_THREAD = threading.local()


def _kept_sources():
    """What a worker has read stays with it from one drain to the next."""
    if not hasattr(_OF_THREAD, "sources"):
        _OF_THREAD.sources = Sources()
    else:
        _OF_THREAD.sources.keep_fresh()
    return _OF_THREAD.sources


def figures_span():
    """First and last month that have figures, of all institutions; None where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(month), max(month) FROM indicators_measurement")
        first, last = cursor.fetchone()
    return (first, last) if first else None


def cards_span():
    """First and last month that have cards; None where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(month), max(month) FROM scorecard_card")
        first, last = cursor.fetchone()
    return (first, last) if first else None


def remove_beyond(span, held):
    """Take out the cards of months in which there are no figures any more. Returns how many.

    One statement asks for the months and deletes: what another worker adds meanwhile it sees whole, or not at all.
    """
    if held is None or (span and span[0].replace(month=1) <= held[0] and held[1] <= span[1]):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM scorecard_card
            USING (SELECT min(month) AS first, max(month) AS last FROM indicators_measurement) figures
            WHERE first IS NULL OR month > last OR month < date_trunc('year', first)"""
        )
        removed = cursor.rowcount
    forget_all()
    return removed


def citing_institutions():
    """Ids of institutions with plans that cite other institutions' indicators."""
    lines = PlanLine.objects.exclude(indicator__institution_id=F("plan__institution_id"))
    return set(lines.values_list("plan__institution_id", flat=True))


def refresh(*, now, institution=None, from_month=None, to_month=None, jobs=1, progress=None):
    """Compute the cards of these months (all that have figures, by default), those who own figures before those who
    cite.

    progress: called with (institution code, year, Changed so far). Each institution's year is a transaction; years do
    not touch each other, so `jobs` of them are computed side by side, each on its own connection. Returns Changed.
    """
    span = figures_span()
    total = Changed(removed=remove_beyond(span, cards_span()))
    if span is None:
        return total
    opening = span[0].replace(month=1)
    first, last = max(from_month or opening, opening), min(to_month or span[1], span[1])
    institutions = Institution.objects.order_by("code") if institution is None else [institution]
    for body in _in_turn(institutions):
        for year, changed in _years(body.pk, first, last, now, jobs):
            total += changed
            if progress:
                progress(body.code, year, total)
    return total


def _in_turn(institutions):
    """Those who own figures before those who cite them; those who cite one another come once more at the end."""
    lines = PlanLine.objects.exclude(indicator__institution_id=F("plan__institution_id"))
    pairs = set(lines.values_list("plan__institution_id", "indicator__institution_id"))
    citing = {who for who, _ in pairs}
    again = {who for who, whom in pairs if whom in citing}
    in_turn = sorted(institutions, key=lambda body: (body.pk in citing, body.code))
    return in_turn + [body for body in in_turn if body.pk in again]


def _years(institution_id, first, last, now, jobs):
    """Yield (year, Changed) of an institution's years as they are done."""

    def one(sources, year):
        start = first.month - 1 if year == first.year else 0
        end = last.month if year == last.year else 12
        return refresh_year(sources=sources, institution_id=institution_id, year=year, first=start, last=end, now=now)

    def share(part):
        try:
            sources = Sources()
            return [(year, one(sources, year)) for year in part]
        finally:
            connection.close()

    years = range(first.year, last.year + 1)
    if jobs == 1 or len(years) == 1:
        sources = Sources()
        yield from ((year, one(sources, year)) for year in years)
        return
    sources = Sources()
    for year in years:  # positions are given once, before years that would each give the same
        Blueprint(institution_id, year, sources[institution_id].indicator_ids)
    with ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(share, [years[n::jobs] for n in range(jobs)]):
            yield from done


def refresh_year(*, sources, institution_id, year, first, last, now, indicators=None):
    """Months first..last-1 of an institution's year; of some indicators, or of all. One transaction. Returns
    Changed.
    """
    if first >= last:
        return Changed()
    with transaction.atomic():
        lock_years([(institution_id, year)])
        sources.keep_fresh()
        cards = YearOfCards(sources, institution_id, year, now)
        if not len(cards.axis):
            return Changed(removed=cards.store.clear(first, last))
        with connection.cursor() as cursor:  # reads of a year are hashed in memory, and too short for compiling
            cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")
        return Changed(*cards.refresh(first, last, indicators))


def drain(*, now):
    """Compute what is stale. The marks go in the same transaction as the cards come, so that a worker that dies loses
    none.

    Marks that another worker holds are left to it. Returns (marks drained, Changed).
    """
    with transaction.atomic():
        marks = _take_marks()
        if not marks:
            return 0, Changed()
        total = _drain_marks(marks, now)
    return len(marks), total


def has_marks():
    """Whether there are marks that a drain would take, in nobody else's hands."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {StaleMark._meta.db_table} LIMIT 1 FOR UPDATE SKIP LOCKED")
        return cursor.rowcount > 0


def _take_marks():
    table = StaleMark._meta.db_table
    return list(
        StaleMark.objects.raw(
            f"""DELETE FROM {table} WHERE id = ANY(ARRAY(
                SELECT id FROM {table} ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )) RETURNING *""",
            [DRAIN_AT_ONCE],
        )
    )


def _drain_marks(marks, now):
    span = figures_span()
    held = cards_span()
    total = Changed(removed=remove_beyond(span, held))
    if span is None:
        return total
    first_round, second_round = _jobs(marks, span, held)
    lock_years(
        [*first_round, *second_round]
    )  # in one order, before anything is read: no two drains wait for each other
    sources = _kept_sources()
    for jobs in (first_round, second_round):
        for (institution_id, year), (first, indicators) in jobs.items():
            total += refresh_year(
                sources=sources,
                institution_id=institution_id,
                year=year,
                first=first,
                last=span[1].month if year == span[1].year else 12,
                now=now,
                indicators=indicators,
            )
    return total


def _jobs(marks, span, held):
    """What to compute: {(institution, year): (first month 0..11, set of indicators, or None for all)}, in turn.

    Those who cite come after those who own. Where an owner cites others itself, who cites it has a second round.
    """
    found = {}
    for mark in marks:
        if span[0].year <= mark.month.year and mark.month <= span[1]:
            indicators = None if mark.indicator_id is None else {mark.indicator_id}
            _add(found, (mark.institution_id, mark.month.year), mark.month.month - 1, indicators)
    for month in _first_months(span, held):
        for institution_id in Institution.objects.values_list("pk", flat=True):
            _add(found, (institution_id, month.year), month.month - 1, None)
    citing, later = citing_institutions(), {}
    for (owner, year), (first, indicators) in list(found.items()):
        for institution_id, cited in _citing(owner, year, indicators) if citing else ():
            _add(later if owner in citing else found, (institution_id, year), first, cited)
    in_turn = sorted(found.items(), key=lambda job: (job[0][0] in citing, job[0]))
    return dict(in_turn), dict(sorted(later.items()))


def _add(jobs, key, first, indicators):
    before, others = jobs.get(key, (12, set()))
    both = None if indicators is None or others is None else indicators | others
    jobs[key] = min(before, first), both


def _first_months(span, held):
    """Where months begin that have figures and no cards, one a year: the first figure of a month opens it for all."""
    opening = span[0].replace(month=1)
    if held is None:
        begin, end = opening, span[1].year
    elif opening < held[0]:
        begin, end = opening, span[1].year if held[1] < span[1] else held[0].year
    elif held[1] < span[1]:
        begin, end = add_months(held[1], 1), span[1].year
    else:
        return []
    return [begin, *(date(year, 1, 1) for year in range(begin.year + 1, end + 1))]


def _citing(owner, year, indicators):
    """Institutions whose plans of the year cite an owner's indicators, with the set of those."""
    cited = PlanLine.objects.filter(indicator__institution_id=owner, plan__year=year).exclude(
        plan__institution_id=owner
    )
    if indicators is not None:
        cited = cited.filter(indicator_id__in=_with_formulas(owner, indicators))
    found = {}
    for institution_id, indicator in cited.values_list("plan__institution_id", "indicator_id"):
        found.setdefault(institution_id, set()).add(indicator)
    return found.items()


def _with_formulas(owner, indicators):
    """The indicators and those that rest on them by a formula."""
    return with_dependents(read_versions(owner), indicators)


def today(now):
    return timezone.localtime(now).date()
