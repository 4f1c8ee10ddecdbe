"""What a monitoring reads: gathered from the database, the broker and Valkey at the moment of reading.

Several processes serve and work, so no process keeps a count of its own: each figure stands once, in what all share.
"""

import logging
from collections import Counter

from django.db import connection, transaction
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

logger = logging.getLogger(__name__)

# The oldest mark of work still to be done, and how many there are. Tables are small: what is done is taken out.
BACKLOG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(marked_at)), 0)::float8, count(*) FROM {table}
"""


def exposition():
    """All figures in Prometheus's text. A source that does not answer is told by tablero_up, and its figures miss."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gathered())
    return generate_latest(registry)


class _Gathered:
    """Each reader yields families of figures; one that fails takes no other with it."""

    def collect(self):
        up = GaugeMetricFamily("tablero_up", "Whether a source of these figures answered.", labels=["source"])
        for name, reader in READERS.items():
            try:
                families = list(reader())
            except Exception as error:  # noqa: BLE001 - whatever it is, the figure of its own says so
                logger.warning("metrics source=%s error=%s", name, error)
                up.add_metric([name], 0)
                continue
            up.add_metric([name], 1)
            yield from families
        yield up


def _rows(sql, values=()):
    with transaction.atomic(), connection.cursor() as cursor:  # a failed question leaves the connection usable
        cursor.execute(sql, values)
        return cursor.fetchall()


def _one(name, words, value, kind=GaugeMetricFamily):
    return kind(name, words, value=float(value))


def backlog(table):
    """(age in seconds of the oldest mark, marks); 0, 0 where nothing waits."""
    return _rows(BACKLOG.format(table=table))[0]


def _backlog(name, table, words):
    def read():
        age, count = backlog(table)
        yield _one(f"tablero_{name}_lag_seconds", f"Age of the oldest mark of {words}; 0 where none waits.", age)
        yield _one(f"tablero_{name}_marks", f"Marks of {words}.", count)

    return read


def _queue():
    yield _one("tablero_queue_messages", "Tasks in the broker that no worker has taken yet.", queue_depth())


def queue_depth(queue=""):
    """Tasks in the broker that no worker has taken yet."""
    from scorecard.celery import app

    with app.connection_for_read(connect_timeout=2.0) as held:
        held.ensure_connection(max_retries=1, interval_start=0, timeout=2.0)
        try:
            name = queue or app.conf.task_default_queue
            return held.default_channel.queue_declare(queue=name, passive=True).message_count
        except held.channel_errors:  # no task was ever sent
            return 0


def _events():
    from units.api import metering

    families = {
        name: CounterMetricFamily(f"tablero_{name}", words, labels=["institution", *labels])
        for name, (words, *labels) in METERED.items()
    }
    found = Counter()
    for (_account, institution), counts in metering.totals().items():
        found.update({(institution, kind): n for kind, n in counts.items()})
    for (institution, kind), n in sorted(found.items()):
        name, *labels = _metered_as(kind)
        families[name].add_metric([institution, *labels], n)
    yield from families.values()


# What is metered of accounts: each family adds up to what its name says, and to nothing else.
METERED = {
    "feed_requests": ["Requests that brought something, and pages that connectors read."],
    "feed_jobs": ["Large bodies that were left to a worker."],
    "feed_items": ["Items that feeds sent, by what became of them.", "result"],
    "feed_flags": ["Flags of items that were taken: points that are none, places that were mended.", "flag"],
    "figures": ["Figures that were sent, by what became of them.", "result"],
}


def _metered_as(kind):
    """(family, its further labels) of a kind as it is metered."""
    for prefix, family in (("flag_", "feed_flags"), ("figures_", "figures")):
        if kind.startswith(prefix):
            return family, kind.removeprefix(prefix)
    return (f"feed_{kind}",) if kind in ("requests", "jobs") else ("feed_items", kind)


def _streams():
    from scorecard.live import count

    yield _one("tablero_live_streams", "Open pages that hear of changes, of all processes.", count.total())


JOBS = """
SELECT state, count(*) FROM incidents_job
WHERE state IN ('queued', 'running') OR (state = 'failed' AND finished_at > clock_timestamp() - interval '1 day')
GROUP BY state
"""
LETTERS = """
SELECT i.code, count(*) FROM incidents_deadletter l JOIN units_institution i ON i.id = l.institution_id
WHERE l.state = 'waiting' GROUP BY i.code ORDER BY i.code
"""
CONNECTORS = """
SELECT name, extract(epoch FROM clock_timestamp() - coalesce(last_success_at, created_at))::float8, failures
FROM incidents_connector WHERE is_active ORDER BY name
"""


def _jobs():
    family = GaugeMetricFamily(
        "tablero_jobs", "Large bodies that wait or are taken in, and those that failed within a day.", labels=["state"]
    )
    found = dict(_rows(JOBS))
    for state in ("queued", "running", "failed"):
        family.add_metric([state], found.get(state, 0))
    yield family


def _letters():
    family = GaugeMetricFamily(
        "tablero_dead_letters_waiting", "Refused items that wait for a person.", labels=["institution"]
    )
    for institution, n in _rows(LETTERS):
        family.add_metric([institution], n)
    yield family


def _connectors():
    lag = GaugeMetricFamily(
        "tablero_connector_lag_seconds", "Since the source was last read to its end.", labels=["connector"]
    )
    failures = GaugeMetricFamily("tablero_connector_failures", "Failures in a row.", labels=["connector"])
    for name, seconds, failed in _rows(CONNECTORS):
        lag.add_metric([name], seconds)
        failures.add_metric([name], failed)
    yield from (lag, failures)


READERS = {
    "stale": _backlog("stale", "indicators_stalemark", "months of an indicator whose cards are to be computed again"),
    "count": _backlog("count", "incidents_countmark", "months of a category whose incidents are to be counted again"),
    "broker": _queue,
    "feeds": _events,
    "jobs": _jobs,
    "letters": _letters,
    "connectors": _connectors,
    "live": _streams,
}
