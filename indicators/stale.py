"""A worker is asked to compute what is stale: after the commit, and once for however many writes come meanwhile.

What is stale stands in the database, so no message is ever missed for good: beat sweeps what a lost one left behind.
"""

import logging
import threading
from contextlib import contextmanager

from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class _Thread(threading.local):
    is_draining = False


_THREAD = _Thread()
FLAG = "drain-asked"
FLAG_SECONDS = 3  # a message lost with its flag still up keeps others from being sent no longer than this


def ask_for_drain():
    """Ask a worker to drain the marks, unless a message that no worker has taken yet does so already.

    To be called on commit. Whoever finds the flag up has its marks committed before the worker takes the flag down,
    which it does before it reads them.
    """
    if not settings.STALE_TASK or _THREAD.is_draining or not _raise_flag():
        return
    try:
        current_app.send_task(settings.STALE_TASK, queue=settings.CELERY_TASK_DEFAULT_QUEUE, retry=False)
    except OperationalError:
        lower_flag()
        logger.warning("The broker did not take the message; the sweep will drain the stale marks.", exc_info=True)


@contextmanager
def draining():
    """What the drain itself marks it drains next: no message is sent for it."""
    _THREAD.is_draining = True
    try:
        yield
    finally:
        _THREAD.is_draining = False


def lower_flag():
    """The worker takes the message as read: what is marked from here on asks anew."""
    cache = caches["default"]
    if not isinstance(cache, RedisCache):
        return
    try:
        cache.delete(_flag())
    except RedisError:
        logger.warning("The cache does not answer; the flag comes down by itself.", exc_info=True)


def _raise_flag():
    """Whether a message is wanted: no other is under way, or no cache that all processes share can tell."""
    cache = caches["default"]
    if not isinstance(cache, RedisCache):
        return True
    try:
        return cache.add(_flag(), 1, FLAG_SECONDS)
    except RedisError:
        return True


def _flag():
    return f"{FLAG}:{settings.CELERY_TASK_DEFAULT_QUEUE}"
