"""How much each account sends, by the minute, in Valkey: for the operator's page and the monitoring.

Counts of traffic, not of truth: what was accepted is in the database. Where Valkey does not answer, they are missing.
A process keeps what it counted for up to HELD seconds, so that a request need not wait for it.
"""

import atexit
import logging
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from redis.exceptions import RedisError

from units.api import valkey

KEPT = 26 * 3600  # seconds: a day and a little
HELD = 1.0  # seconds
logger = logging.getLogger(__name__)


class Minute(NamedTuple):
    """What an account sent in a minute: counts by kind (requests, created, updated, unchanged, refused ...)."""

    minute: datetime
    account_id: int
    institution: str
    counts: Counter


_lock, _held = threading.Lock(), Counter()


def meter(account, institution_code, *, now=None, **counts):
    """Add to this minute's counts and to the totals, which are sent within HELD seconds."""
    if valkey.client() is None:
        return
    minute = _minute_key(now or timezone.now())
    with _lock:
        is_first = not _held
        for kind, n in {"requests": 1, **counts}.items():
            if n:
                _held[minute, f"{account.pk}|{institution_code}|{kind}"] += n
    if is_first:
        later = threading.Timer(HELD, send)
        later.daemon = True
        later.start()


@atexit.register
def send():
    """Send what is held. One round trip."""
    with _lock:
        counts = dict(_held)
        _held.clear()
    if not counts:
        return
    pipe, totals = valkey.client().pipeline(transaction=False), valkey.key("meter:totals")
    for (minute, field), n in counts.items():
        pipe.hincrby(minute, field, n)
        pipe.hincrby(totals, field, n)
    for minute in {minute for minute, _field in counts}:
        pipe.expire(minute, KEPT)
    try:
        pipe.execute()
    except RedisError as error:
        logger.warning("requests are not metered: %s", error)


def read_minutes(*, now, minutes=60):
    """The last minutes, oldest first: list of Minute."""
    client = valkey.client()
    if client is None:
        return []
    send()
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
    send()
    return _by_account(client.hgetall(valkey.key("meter:totals"))) if client is not None else {}


def _minute_key(now):
    return valkey.key(f"meter:{int(now.timestamp()) // 60}")


def _by_account(fields):
    found = {}
    for field, n in fields.items():
        account, institution, kind = field.decode().split("|")
        found.setdefault((int(account), institution), Counter())[kind] += int(n)
    return found
