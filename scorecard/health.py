"""Is the process alive, can it serve, and how far behind is the work: for a proxy, an orchestrator and a monitoring.

Answered before sessions, hosts and redirections: a probe speaks to a process by its number, not by the site's name.
"""

import ipaddress
import logging
from hmac import compare_digest

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from scorecard import metrics

logger = logging.getLogger(__name__)
BROKER_SECONDS = 2.0


class Health:
    """Middleware that answers /healthz, /readyz and /metrics itself, and lets everything else pass."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        answer = PROBES.get(request.path)
        if iscoroutinefunction(self):
            return self._later(request, answer)
        return answer(request) if answer else self.get_response(request)

    async def _later(self, request, answer):
        if answer is alive:
            return alive(request)
        if answer:
            return await sync_to_async(answer)(request)
        return await self.get_response(request)


def _never_kept(response):
    response["Cache-Control"] = "no-store"
    return response


def alive(request):
    """The process answers. It asks neither the database nor the broker: to start it again would not mend them."""
    return _never_kept(JsonResponse({"alive": True}))


# Ready ---------------------------------------------------------------------------------------------------------------


def ready(request):
    """All that a page needs answers: 200; else 503, with what does not."""
    checks = {"database": _database, "migrations": _migrations, "broker": _broker}
    found = {}
    for name, check in checks.items():
        if name == "migrations" and found["database"] != "ok":
            found[name] = "unknown"
            continue
        try:
            found[name] = check()
        except Exception as error:  # noqa: BLE001 - whatever stands in the way is what is asked for here
            logger.warning("not ready check=%s error=%s", name, error)
            found[name] = type(error).__name__  # the words may hold addresses, which are for the log alone
    is_ready = set(found.values()) == {"ok"}
    return _never_kept(JsonResponse({"ready": is_ready, "checks": found}, status=200 if is_ready else 503))


def _database():
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


_applied = set()  # what was found applied once is not asked again: reading all migrations takes 0.1 s


def _migrations():
    if "all" not in _applied:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            return f"{len(missing)} not applied"
        _applied.add("all")
    return "ok"


def _broker():
    from scorecard.celery import app

    with app.connection_for_write(connect_timeout=BROKER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
        connection.default_channel  # noqa: B018 - opening it is the question
    return "ok"


# Metrics -------------------------------------------------------------------------------------------------------------


def measures(request):
    """Figures of all processes together in Prometheus's text, for those who may read them."""
    if not may_read_metrics(request):
        return HttpResponse("metrics are read from METRICS_ALLOWED, or with METRICS_TOKEN\n", "text/plain", status=403)
    return _never_kept(HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST))


def may_read_metrics(request):
    """By token; or by address, unless a proxy stands between, behind which every address is the proxy's."""
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and kind == "Bearer":
        return compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED)


PROBES = {"/healthz": alive, "/readyz": ready, "/metrics": measures}
