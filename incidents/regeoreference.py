"""Boundaries changed: incidents that have a point, or a code that no territory had, are placed anew, month by month."""

from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from django.db.models import Q

from incidents import store
from incidents.feed import book as books
from incidents.feed import write
from incidents.feed.write import Kept
from incidents.models import Fate, Incident
from indicators.months import add_months, month_of
from indicators.stale import ask_for_drain
from units.models import Institution

BATCH = 5_000


@dataclass
class Placed:
    """How many incidents were looked at, and how many lie in another territory now."""

    looked_at: int = 0
    moved: int = 0


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
    moved = [(row, to) for row, to in zip(rows, _places(rows, book), strict=True) if to not in (None, row.territory_id)]
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


MOVE = f"""
UPDATE incidents_incident i SET territory_id = t.territory
FROM {write.unnest("date", "bigint", "int")} AS t(d, id, territory)
WHERE i.occurred_on = t.d AND i.id = t.id AND {write.span("i")}
"""


def _move(by, moved, now, reason):
    """Incidents (row, territory id) to their territories."""
    with connection.cursor() as cursor:
        kept = [Kept(row.occurred_on, row.id, None, Fate.CHANGED, "where", reason) for row, _ in moved]
        write.keep(cursor, kept, account=by.pk if by else None, now=now)
        rows = [(row.occurred_on, row.id, territory) for row, territory in moved]
        cursor.execute(MOVE, write.dated(rows, 3))
        write.mark(cursor, {(month_of(row.occurred_on), row.category_id) for row, _ in moved}, now)
        write.tell(cursor, [(row.id, row.occurred_on, place, row.category_id) for row, place in moved])
    transaction.on_commit(ask_for_drain)
