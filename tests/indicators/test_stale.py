"""One message asks for a drain, however many writes come before a worker takes it; none is missed."""

import uuid

import pytest
from django.core.cache import caches
from kombu import Connection

from indicators import stale
from scorecard.celery import app


@pytest.fixture
def messages(settings):
    """How many messages wait, in a queue of the real broker that no worker reads."""
    queue = settings.CELERY_TASK_DEFAULT_QUEUE = f"unread-{uuid.uuid4()}"
    with Connection(settings.CELERY_BROKER_URL) as connection:
        channel = connection.channel()
        yield lambda: channel.client.llen(queue)
        channel.client.delete(queue)
    stale.lower_flag()


def test_many_writes_send_one_message(messages):
    for _ in range(50):
        stale.ask_for_drain()
    assert messages() == 1


def test_when_the_worker_has_taken_the_message_the_next_write_asks_anew(messages):
    stale.ask_for_drain()
    stale.lower_flag()  # before it reads the first mark
    stale.ask_for_drain()
    stale.ask_for_drain()
    assert messages() == 2


def test_a_flag_whose_message_was_lost_comes_down_by_itself(messages):
    stale.ask_for_drain()
    assert 0 < caches["default"]._cache.get_client().pttl(caches["default"].make_key(stale._flag())) <= 3000


def test_what_a_drain_marks_itself_asks_for_nothing(messages):
    with stale.draining():
        stale.ask_for_drain()
    assert messages() == 0
    stale.ask_for_drain()
    assert messages() == 1


def test_without_a_cache_that_all_share_every_write_asks(messages, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for _ in range(3):
        stale.ask_for_drain()
    assert messages() == 3


def test_a_broker_that_is_away_leaves_the_flag_down(messages, monkeypatch, caplog):
    from kombu.exceptions import OperationalError

    def away(*_, **__):
        raise OperationalError("no broker")

    with monkeypatch.context() as context:
        context.setattr(app, "send_task", away)
        stale.ask_for_drain()
    assert "the sweep will drain" in caplog.text
    stale.ask_for_drain()
    assert messages() == 1
