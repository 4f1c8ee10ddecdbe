"""The cache's own connection to Valkey, for what the cache's interface cannot say in one round trip."""

from django.conf import settings
from django.core.cache import cache


def client():
    """The redis client, or None where the cache lives in the process (an installation without Valkey)."""
    get = getattr(getattr(cache, "_cache", None), "get_client", None)
    return get(None, write=True) if get else None


def key(name):
    return f"{settings.CACHES['default'].get('KEY_PREFIX', '')}:api:{name}"
