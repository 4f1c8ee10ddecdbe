"""How many pages are open, of all processes together: each says its own number in Valkey, for the monitoring."""

from __future__ import annotations

import logging
import os
import socket
import time

from redis.exceptions import RedisError

from units.api import valkey

log = logging.getLogger(__name__)
FRESH = 60.0  # seconds after which a process that says nothing is taken to be gone


def say(streams: int) -> None:
    """The streams of this process, as of now. Blocks for a round trip; without Valkey nothing is said."""
    client = valkey.client()
    if client is None:
        return
    try:
        client.hset(_key(), f"{socket.gethostname()}|{os.getpid()}", f"{streams}|{time.time():.0f}")
    except (RedisError, OSError) as error:
        log.warning("the number of streams could not be told: %s", error)


def total() -> int:
    """Streams of all processes that spoke lately; forgets those that did not."""
    client = valkey.client()
    if client is None:
        return 0
    found, gone, now = 0, [], time.time()
    for process, said in client.hgetall(_key()).items():
        streams, at = said.decode().split("|")
        if now - float(at) > FRESH:
            gone.append(process)
        else:
            found += int(streams)
    if gone:
        client.hdel(_key(), *gone)
    return found


def _key():
    return valkey.key("live:streams")
