"""How many requests an account may make a minute, counted in Valkey.

Where Valkey does not answer, nothing is refused: the limit protects the site, and events must not be lost for it.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from units.api import valkey
from units.api.errors import TooManyRequests

WINDOW = 60  # seconds
logger = logging.getLogger(__name__)


def throttle(account, cost=1):
    """Count `cost` requests against the account's minute: the headers to answer with. Raises TooManyRequests."""
    now = time.time()
    window, passed = divmod(now, WINDOW)
    used = _count(f"rate:{account.pk}:{int(window)}", cost)
    left, reset = settings.API_RATE - used, WINDOW - int(passed)
    headers = {
        "RateLimit-Limit": str(settings.API_RATE),
        "RateLimit-Remaining": str(max(left, 0)),
        "RateLimit-Reset": str(reset),
    }
    if left < 0:
        raise TooManyRequests(
            "rate_limit",
            _("The account may make %(limit)s requests a minute: go on in %(seconds)s seconds.")
            % {"limit": settings.API_RATE, "seconds": reset},
            headers={**headers, "Retry-After": str(reset)},
        )
    return headers


def _count(name, cost):
    """The count after this request; 0 where Valkey does not answer."""
    client = valkey.client()
    if client is None:
        cache.add(name, 0, 2 * WINDOW)
        return cache.incr(name, cost)
    key = valkey.key(name)
    try:
        used = client.incrby(key, cost)
        if used == cost:  # the first of its minute
            client.expire(key, 2 * WINDOW)
        return used
    except RedisError as error:
        logger.warning("requests are not limited: %s", error)
        return 0
