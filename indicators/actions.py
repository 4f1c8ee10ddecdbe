"""Figures and targets come in here and nowhere else: checked, kept with what they replace, and marked stale at once."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from django.db import transaction
from django.utils import timezone

from indicators import bulk
from indicators.checks import check_figures, check_targets
from indicators.models import Batch, Indicator, StaleMark
from indicators.stale import ask_for_drain

BLANK, FIGURE, NOT_APPLICABLE = 0, 1, 2


@dataclass
class Outcome:
    """What came of a bulk write. Nothing was written where rows were refused and `accept_valid` was not given."""

    written: bulk.Written = field(default_factory=bulk.Written)
    refused: list = field(default_factory=list)
    batch: Batch | None = None

    @property
    def is_written(self):
        return self.batch is not None


class _DryRun(Exception):  # noqa: N818 - it is no error: it takes the transaction back
    pass


def record(
    *,
    by,
    months,
    indicators,
    units,
    numerators,
    denominators=None,
    states=None,
    rows=None,
    source,
    now,
    kind="figures",
    name="",
    sha256="",
    is_provisional=True,
    is_simulated=False,
    accept_valid=False,
    dry_run=False,
    reason="",
):
    """Record figures: measurement, what it said before, and the stale marks, in one transaction.

    months: datetime64[M] (R,); indicators, units: ids (R,), 0 where a code was unknown; numerators, denominators:
    float (R,), NaN for none; states: 0 blank (takes the figure back), 1 figure, 2 not applicable; by default 1, and 0
    where the numerator is NaN. rows: row numbers for the refusals. Returns Outcome.
    """
    months = np.asarray(months).astype("datetime64[M]")
    indicators, units = np.asarray(indicators, np.int64), np.asarray(units, np.int64)
    numerators = np.asarray(numerators, np.float64)
    denominators = np.full(len(months), np.nan) if denominators is None else np.asarray(denominators, np.float64)
    if states is None:
        states = np.where(np.isnan(numerators), BLANK, FIGURE)
    states = np.asarray(states, np.int16)
    rows = np.arange(1, len(months) + 1) if rows is None else np.asarray(rows)
    this_month = timezone.localtime(now).date().replace(day=1)
    refusals = check_figures(months, indicators, units, numerators, denominators, states, this_month=this_month)
    refused = refusals.listed(rows)
    if refused and not accept_valid:
        return Outcome(refused=refused)
    good = refusals.good
    figure = states == FIGURE
    said = (np.where(figure, numerators, np.nan), np.where(figure, denominators, np.nan), states)
    batch = Batch(kind=kind, name=name[:200], sha256=sha256, by=by, at=now, is_simulated=is_simulated)
    about = {
        "is_provisional": is_provisional,
        "source": source,
        "recorded_by_id": by.pk if by else None,
        "recorded_at": now,
    }
    written = _write(
        table=bulk.FIGURES,
        keys=(months[good], indicators[good], units[good]),
        said=[column[good] for column in said],
        blank=(states == BLANK)[good],
        batch=batch,
        about=about,
        now=now,
        reason=reason,
        dry_run=dry_run,
    )
    return Outcome(written, refused, None if dry_run else batch)


def set_targets(*, by, months, indicators, units, values, low, high, baseline, now, name="", reason="", dry_run=False):
    """Set targets and baselines of months; all four NaN take a target back. Arrays as in `record`. Returns Outcome."""
    said = [np.asarray(column, np.float64) for column in (values, low, high, baseline)]
    keys = (np.asarray(months).astype("datetime64[M]"), np.asarray(indicators, np.int64), np.asarray(units, np.int64))
    refusals = check_targets(*keys, *said)
    if not refusals.good.all():
        return Outcome(refused=refusals.listed(np.arange(1, len(keys[0]) + 1)))
    batch = Batch(kind="targets", name=name[:200], by=by, at=now)
    written = _write(
        table=bulk.TARGETS,
        keys=keys,
        said=said,
        blank=np.logical_and.reduce([np.isnan(column) for column in said]),
        batch=batch,
        about={"recorded_by_id": by.pk if by else None, "recorded_at": now},
        now=now,
        reason=reason,
        dry_run=dry_run,
    )
    return Outcome(written, [], None if dry_run else batch)


def approve(*, by, months, indicators, units, now, as_shown=None, name="", reason="approved"):
    """Figures that were entered are approved: no longer provisional, the figure itself and who said it stay as they
    are.

    as_shown: the instant at which the approver saw them; what was changed after it is left for another look. Returns
    Outcome, whose `written.changed` counts the figures approved.
    """
    keys = (np.asarray(months).astype("datetime64[M]"), np.asarray(indicators, np.int64), np.asarray(units, np.int64))
    batch = Batch(kind="approval", name=name[:200], by=by, at=now)
    with transaction.atomic():
        batch.save()
        about = {"recorded_by_id": by.pk if by else None, "recorded_at": now}
        written, touched = bulk.approve(keys, about, as_shown or now, reason)
        batch.report = {"changed": written.changed}
        batch.save(update_fields=["report"])
        mark_stale(pairs=touched, now=now)
    return Outcome(written, [], batch)


def _write(*, table, keys, said, blank, batch, about, now, reason, dry_run):
    written = bulk.Written()
    try:
        with transaction.atomic():
            batch.save()
            about = {**about, "batch_id": batch.pk}
            written, touched = bulk.write(table, keys, said, blank, about, reason)
            batch.report = {"created": written.created, "changed": written.changed, "blanked": written.blanked}
            batch.save(update_fields=["report"])
            mark_stale(pairs=touched, now=now)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return written
    return written


def mark_stale(*, pairs, now):
    """Mark (month, indicator) pairs for computing, for the indicator's institution, inside the caller's transaction."""
    if not pairs:
        return
    owners = dict(Indicator.objects.filter(pk__in={i for _, i in pairs}).values_list("pk", "institution_id"))
    StaleMark.objects.bulk_create(
        StaleMark(month=month, institution_id=owners[indicator], indicator_id=indicator, marked_at=now)
        for month, indicator in sorted(pairs)
    )
    transaction.on_commit(ask_for_drain)


def mark_all_stale(*, institution, from_month: date, now):
    """Everything of an institution from this month to its year's end: a changed tree, sheet or plan."""
    StaleMark.objects.create(month=from_month, institution=institution, indicator=None, marked_at=now)
    transaction.on_commit(ask_for_drain)
