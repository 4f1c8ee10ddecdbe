"""Boundaries changed: incidents that have a point, or a code that no territory had, are placed anew, month by month."""

import logging
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from celery import current_app
from django.db import connection, transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from incidents import georeference, store
from incidents.feed import book as books
from incidents.feed import write
from incidents.feed.write import Kept
from incidents.models import Fate, Incident
from indicators.months import add_months, month_of
from indicators.stale import ask_for_drain
from units.models import Institution

logger = logging.getLogger(__name__)
TASK = "incidents.tasks.regeoreference"
BATCH = 5_000


@dataclass
class Placed:
    """How many incidents were looked at, and how many lie in another territory now."""

    looked_at: int = 0
    moved: int = 0


class Place(NamedTuple):
    """Where an incident lies, and how exactly that is known; `code`: the id of one that no territory has."""

    territory: int
    precision: int
    code: int | None


# As jobs of a worker ---------------------------------------------------------------------------------------------


def boundaries_changed(*, by, since, reason=""):
    """Boundaries that hold from a day on are others now: the months from it that have incidents are placed anew.

    To be called on commit. Returns how many months are asked for.
    """
    held = Incident.objects.filter(occurred_on__gte=since).values_list("occurred_on", flat=True)
    first, last = held.order_by("occurred_on").first(), held.order_by("-occurred_on").first()
    if first is None:
        return 0
    return ask_for(by=by, from_month=month_of(first), to_month=add_months(month_of(last), 1), reason=reason)


def ask_for(*, by, from_month, to_month, reason=""):
    """Ask workers to place the months [from_month, to_month), each by a task of its own: all at once would be too long.

    Returns how many were asked for: where the broker does not answer, fewer, and the log says which.
    """
    month, asked = from_month, 0
    while month < to_month:
        following = add_months(month, 1)
        about = [month.isoformat(), following.isoformat(), by.pk if by else None, reason]
        try:
            current_app.send_task(TASK, args=about, retry=False)
        except OperationalError:
            logger.exception("regeoreference not asked for: from=%s to=%s", month, to_month)
            return asked
        month, asked = following, asked + 1
    logger.info("regeoreference asked for: months=%s from=%s to=%s", asked, from_month, to_month)
    return asked


def log_progress(month, placed):
    logger.info("regeoreference month=%s looked_at=%s moved=%s", month, placed.looked_at, placed.moved)


# The work itself -------------------------------------------------------------------------------------------------


def _silent(month, placed):
    pass


def regeoreference(*, by, from_month, to_month, now, reason="", dry_run=False, progress=_silent):
    """Place the incidents of the months [from_month, to_month) by today's boundaries and catalogue.

    What was said before is kept, and the months of what moved are marked for counting. Batch after batch, each whole:
    begun again, it goes on, since what is placed already does not move. Returns Placed.
    """
    placed, month = Placed(), month_of(from_month)
    while month < to_month:
        after = None
        while after is not False:
            with transaction.atomic():
                _lock_out_publications()
                after = _batch(by, month, after, now, reason, dry_run, placed)
        progress(month, placed)
        month = add_months(month, 1)
    return placed


def _lock_out_publications():
    """Before any incident is locked, so that a publication and this never wait for one another."""
    with connection.cursor() as cursor:
        for pk in Institution.objects.order_by("pk").values_list("pk", flat=True):
            store.lock_out_publications(cursor, pk)


def _batch(by, month, after, now, reason, dry_run, placed):
    """The next incidents of a month behind `after` (day, id). Returns the last of them, or False."""
    rows = _rows(month, after)
    if not rows:
        return False
    book = books.current(max_age=0)
    found = zip(rows, _places(rows, book), strict=True)
    moved = [(row, _place(row, to, book)) for row, to in found if to not in (None, row.territory_id)]
    placed.looked_at += len(rows)
    placed.moved += len(moved)
    if moved and not dry_run:
        _move(by, moved, now, reason)
    return rows[-1].occurred_on, rows[-1].id


def _rows(month, after):
    held = Incident.objects.filter(occurred_on__gte=month, occurred_on__lt=add_months(month, 1))
    held = held.filter(Q(longitude__isnull=False) | Q(place_code__isnull=False))
    if after:
        day, pk = after
        held = held.filter(Q(occurred_on__gt=day) | Q(occurred_on=day, id__gt=pk))
    return list(held.select_for_update(of=("self",)).select_related("place_code").order_by("occurred_on", "id")[:BATCH])


def _places(rows, book):
    """Territory ids of incidents by their point and their code, None where neither tells."""
    has_point = [n for n, row in enumerate(rows) if row.longitude is not None]
    found = [book.place(row.place_code.code)[0] if row.place_code else None for row in rows]
    x, y = (np.array([getattr(rows[n], name) for n in has_point]) for name in ("longitude", "latitude"))
    located = book.boundaries.locate([rows[n].occurred_on for n in has_point], x, y) if has_point else []
    for n, territory in zip(has_point, np.asarray(located).tolist(), strict=True):
        if territory:
            # What was known more exactly than the boundaries tell, by a code, stays.
            lower = found[n] or rows[n].territory_id
            found[n] = lower if book.is_within(lower, territory) else territory
    return found


def _place(row, territory, book):
    """The Place of an incident that goes to a territory: its code is kept for as long as no territory has it."""
    rule = book.place(row.place_code.code)[1] if row.place_code else None
    has_own = rule in (None, "not_delimited")
    precision = georeference.POINT if row.longitude is not None else book.precision(territory)
    return Place(territory, precision, None if has_own else row.place_code_id)


MOVE = f"""
UPDATE incidents_incident i SET territory_id = t.territory, place_precision = t.precision, place_code_id = t.code
FROM {write.unnest("date", "bigint", "int", "smallint", "int")} AS t(d, id, territory, precision, code)
WHERE i.occurred_on = t.d AND i.id = t.id AND {write.span("i")}
"""


def _move(by, moved, now, reason):
    """Incidents (row, Place) to their places."""
    with connection.cursor() as cursor:
        kept = [Kept(row.occurred_on, row.id, None, Fate.CHANGED, "where", reason) for row, _ in moved]
        write.keep(cursor, kept, account=by.pk if by else None, now=now)
        rows = [(row.occurred_on, row.id, *place) for row, place in moved]
        cursor.execute(MOVE, write.dated(rows, 5))
        write.mark(cursor, {(month_of(row.occurred_on), row.category_id) for row, _ in moved}, now)
        write.tell(cursor, [(row.id, row.occurred_on, place.territory, row.category_id) for row, place in moved])
    transaction.on_commit(ask_for_drain)
