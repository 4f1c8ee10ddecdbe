"""How much each account sends, by the minute, in Valkey: for the operator's page and the monitoring.

Counts of traffic, not of truth: what was accepted is in the database. Where Valkey does not answer, they are missing.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from redis.exceptions import RedisError

from units.api import valkey

KEPT = 26 * 3600  # seconds: a day and a little
logger = logging.getLogger(__name__)


class Minute(NamedTuple):
    """What an account sent in a minute: counts by kind (requests, created, updated, unchanged, refused ...)."""

    minute: datetime
    account_id: int
    institution: str
    counts: Counter


def meter(account, institution_code, *, now=None, **counts):
    """Add to this minute's counts and to the totals. One round trip."""
    client = valkey.client()
    if client is None:
        return
    now = now or timezone.now()
    minute, totals = _minute_key(now), valkey.key("meter:totals")
    pipe = client.pipeline(transaction=False)
    for kind, n in {"requests": 1, **counts}.items():
        if n:
            field = f"{account.pk}|{institution_code}|{kind}"
            pipe.hincrby(minute, field, n)
            pipe.hincrby(totals, field, n)
    pipe.expire(minute, KEPT)
    try:
        pipe.execute()
    except RedisError as error:
        logger.warning("requests are not metered: %s", error)


def read_minutes(*, now, minutes=60):
    """The last minutes, oldest first: list of Minute. One round trip."""
    client = valkey.client()
    if client is None:
        return []
    wanted = [now.replace(second=0, microsecond=0) - timedelta(minutes=n) for n in range(minutes - 1, -1, -1)]
    pipe = client.pipeline(transaction=False)
    for minute in wanted:
        pipe.hgetall(_minute_key(minute))
    found = zip(wanted, pipe.execute(), strict=True)
    return [
        Minute(minute, account, institution, counts)
        for minute, fields in found
        for (account, institution), counts in sorted(_by_account(fields).items())
    ]


def totals():
    """Since Valkey began: {(account id, institution code): counts by kind}, for counters that only rise."""
    client = valkey.client()
    return _by_account(client.hgetall(valkey.key("meter:totals"))) if client is not None else {}


def _minute_key(now):
    return valkey.key(f"meter:{int(now.timestamp()) // 60}")


def _by_account(fields):
    found = {}
    for field, n in fields.items():
        account, institution, kind = field.decode().split("|")
        found.setdefault((int(account), institution), Counter())[kind] += int(n)
    return found
