"""A connector's pages into the database: each page, its dead letters and the cursor behind it in one transaction.

Whoever dies between two pages leaves the cursor at the second; whoever dies within one leaves nothing of it. A page
that is read twice changes nothing, since each event is known by its source's identifier. Pages are fetched outside of
transactions, under an advisory lock of the connector, so that no two workers read it at once and a worker that dies
lets go at once; the row is locked, and the cursor compared, where the page is taken.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

from celery import current_app
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from incidents import feed
from incidents.connect import fetch, letters, paging
from incidents.connect.backoff import pause
from incidents.connect.models import Connector, Paging
from incidents.connect.rules import SourceError
from incidents.feed.decide import CREATED, RECLASSIFIED, RETRACTED, UPDATED
from units.api.metering import meter

logger = logging.getLogger(__name__)
TASK = "incidents.tasks.pull"
LOCK = 7306
LONGEST = 60.0  # seconds that one pull goes on; what is left is due at once
NEWS = (CREATED, UPDATED, RECLASSIFIED, RETRACTED)
# What was read while the connector was changed is not taken.
ASKED = ("url", "paging", "cursor_parameter", "cursor_path", "items_path", "layout", "cursor")


def due(*, now):
    """Ids of the connectors whose turn it is, longest waiting first."""
    return list(
        Connector.objects.filter(is_active=True, next_attempt_at__lte=now)
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)
    )


def ask_for(pk):
    """Ask a worker to pull a connector. Where the message is lost, the next sweep asks again."""
    try:
        current_app.send_task(TASK, args=[pk], retry=False, expires=60)
    except OperationalError:
        logger.warning("The broker did not take the message; the sweep will ask again.", exc_info=True)


@contextmanager
def _held(pk):
    """Yields whether this process is the one that reads the connector."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, pk])
        is_mine = cursor.fetchone()[0]
    try:
        yield is_mine
    finally:
        if is_mine and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, pk])


def pull(*, pk, clock=timezone.now, is_due=True, pages=None):
    """Read a connector to the end of what it has, or `pages` pages. Returns Counter: pages and results of items.

    is_due: leave it where it is paused or not yet due (another worker has just been there). Raises nothing of the
    source's: the connector says what failed, in words, and when it is tried again. None where another reads it now.
    """
    told = Counter()
    with _held(pk) as is_mine:
        if not is_mine:
            return None
        connector = Connector.objects.select_related("institution", "account").get(pk=pk)
        if is_due and not (connector.is_active and connector.next_attempt_at <= clock()):
            return told
        try:
            is_end = _read_on(connector, told, pages, clock)
        except SourceError as error:
            _failed(connector, error, clock())
            told["failed"] = 1
        else:
            _rested(connector, is_end, clock())
    return told


def _read_on(connector, told, pages, clock):
    """Page after page; whether the end of what there is was reached."""
    until, seen = time.monotonic() + LONGEST, set()
    while True:
        page = _fetched(connector, clock())
        results = _take(connector, page, clock())
        told.update(results)
        told["pages"] += 1
        if page.is_last:
            return True
        if connector.cursor in seen:
            raise SourceError("cursor_stuck", connector.cursor)
        seen.add(connector.cursor)
        if time.monotonic() > until or (pages is not None and told["pages"] >= pages):
            return False


def _fetched(connector, now):
    headers = {connector.header: connector.secret} if connector.secret and connector.header else {}
    url = paging.address(connector, connector.cursor)
    try:
        answer = fetch.get(url, headers=headers, now=now)
    except SourceError as error:
        if error.rule != "not_found" or connector.paging != Paging.PAGE or connector.cursor in ("", "1"):
            raise
        return paging.numbered([], connector.cursor)  # how some sources say that there are no more pages
    return paging.read(connector, connector.cursor, answer)


def _take(connector, page, now):
    """One page into the database, whole or not at all. Returns Counter of results."""
    try:
        items = letters.as_items(page.items, connector.layout)
    except LookupError as error:
        raise SourceError("layout_unknown", str(error)) from error
    with transaction.atomic():
        fresh = Connector.objects.select_for_update(of=("self",)).get(pk=connector.pk)
        if any(getattr(fresh, name) != getattr(connector, name) for name in ASKED):
            raise SourceError("changed_meanwhile")
        outcome = feed.receive(account=connector.account, institution=connector.institution, now=now, items=items)
        results = Counter({result: n for result, n in outcome.counts.items() if n})
        refused = [(page.items[n], outcome.external_ids[n], faults[0]) for n, faults in sorted(outcome.faults.items())]
        letters.keep(
            account=connector.account, institution=connector.institution, refused=refused, now=now,
            connector=connector, layout=connector.layout,
        )  # fmt: skip
        changed = {"cursor": page.cursor}
        if any(results[news] for news in NEWS):
            changed["last_event_at"] = now
        Connector.objects.filter(pk=connector.pk).update(**changed)
    connector.cursor = page.cursor
    meter(connector.account, connector.institution.code, now=now, **outcome.metered)
    return results


def _rested(connector, is_end, now):
    """A pull that went well: the next one after the schedule, or at once where pages are left."""
    wait = timedelta(seconds=connector.every_seconds if is_end else 0)
    changed = {"failures": 0, "last_rule": "", "last_error": "", "next_attempt_at": now + wait}
    Connector.objects.filter(pk=connector.pk).update(**changed, **({"last_success_at": now} if is_end else {}))


def _failed(connector, error, now):
    """A pull that went wrong: what failed, and the next attempt later and later."""
    if error.rule == "changed_meanwhile":
        Connector.objects.filter(pk=connector.pk).update(next_attempt_at=now)
        return
    failures = connector.failures + 1
    wait = pause(failures, share=random.random(), retry_after=error.retry_after)
    Connector.objects.filter(pk=connector.pk).update(
        failures=failures, last_rule=error.rule, last_error=error.seen.replace("\x00", ""), next_attempt_at=now + wait
    )
    logger.warning("connector=%s rule=%s seen=%s failures=%s", connector.name, error.rule, error.seen, failures)
