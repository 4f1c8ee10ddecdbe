"""Who drains: one process at a time while it is quick, since what it keeps of the last drain makes the next cheap.

A process that comes while another drains leaves its marks to it; one that comes while the other is busy with something
long drains beside it. Nothing rests on this but speed: marks are taken with SKIP LOCKED, years under their locks.
"""

from contextlib import contextmanager

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from redis.exceptions import RedisError

LOCK = 7305
LONG = 2  # seconds: a step that takes longer is no reason for others to wait


@contextmanager
def turn():
    """Yields whether this process is to drain. When it is over, look once more for marks: those who came meanwhile
    went away.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        mine = cursor.fetchone()[0]
    try:
        yield mine or not _is_quick()
    finally:
        if mine and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def step():
    """Said before each step of a drain: whoever comes within the next seconds finds it at work."""
    _cache(lambda cache: cache.set(_key(), 1, LONG))


def _is_quick():
    return bool(_cache(lambda cache: cache.get(_key())))


def _cache(ask):
    cache = caches["default"]
    if not isinstance(cache, RedisCache):
        return None
    try:
        return ask(cache)
    except RedisError:
        return None


def _key():
    return f"draining:{connection.settings_dict['NAME']}"
