"""The cache in Valkey or Redis, with one client a pool of connections.

Django makes a new client for every question, which costs more than the question: a tenth of what an event costs.
"""

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class KeptClient(RedisCacheClient):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._clients = {}

    def get_client(self, key=None, *, write=False):
        """The client of the pool that is asked; it holds no connection of its own, so that threads may share it."""
        pool = self._get_connection_pool(write)
        client = self._clients.get(id(pool))
        if client is None:
            client = self._clients[id(pool)] = self._client(connection_pool=pool)
        return client


class KeptRedisCache(RedisCache):
    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = KeptClient
