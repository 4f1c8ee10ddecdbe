"""Alive, ready, and how far behind: what a proxy and a monitoring ask."""

import json
import re

import pytest
from django.test import AsyncClient
from django.utils import timezone

from indicators.models import StaleMark
from scorecard import health, metrics
from tests.factories import MONTH
from units.api import metering
from units.models import Institution, User


def figures_of(response):
    """{name with labels: value} of Prometheus's text."""
    lines = [line for line in response.content.decode().splitlines() if line and line[0] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_alive_asks_no_database(client, settings):
    settings.ALLOWED_HOSTS = ["tablero.example"]  # a probe speaks to an address
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz")  # any query would fail this test: it has no mark for the database
    assert (response.status_code, response.json()) == (200, {"alive": True})
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_where_database_migrations_and_broker_answer(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "broker": "ok"}}


@pytest.mark.django_db(transaction=True)
def test_ready_on_asgi_too():
    import asyncio

    response = asyncio.run(AsyncClient().get("/readyz"))
    assert response.status_code == 200


@pytest.mark.django_db
def test_not_ready_says_what_does_not_answer_and_no_address(client, monkeypatch):
    from scorecard.celery import app

    nowhere = app.connection_for_write("redis://:secret@127.0.0.1:1/0")
    monkeypatch.setattr(app, "connection_for_write", lambda **_: nowhere)
    monkeypatch.setattr(health, "_applied", set())
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    response = client.get("/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks["database"] == "ok"
    assert checks["migrations"] == "2 not applied"
    assert checks["broker"] == "OperationalError"
    assert "secret" not in response.content.decode()


def test_without_a_database_the_migrations_are_unknown(client, monkeypatch):
    def fails():
        raise ConnectionError

    monkeypatch.setattr(health, "_database", fails)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ConnectionError", "migrations": "unknown", "broker": "ok"}


@pytest.mark.django_db
def test_each_family_of_what_feeds_sent_adds_up_to_what_its_name_says(client):
    account = User.objects.create(username="feed")
    metering.meter(account, "SUM", created=3, refused=1, unchanged=0, flag_point_zero=2)
    metering.meter(account, "SUM", jobs=1)
    metering.meter(account, "SUM", figures_created=7)
    figures = figures_of(client.get("/metrics"))
    found = {name: n for name, n in figures.items() if 'institution="SUM"' in name and "_created{" not in name}
    assert found == {
        'tablero_feed_items_total{institution="SUM",result="created"}': 3,
        'tablero_feed_items_total{institution="SUM",result="refused"}': 1,
        'tablero_feed_flags_total{flag="point_zero",institution="SUM"}': 2,
        'tablero_feed_requests_total{institution="SUM"}': 3,
        'tablero_feed_jobs_total{institution="SUM"}': 1,
        'tablero_figures_total{institution="SUM",result="created"}': 7,
    }


@pytest.mark.django_db
def test_the_age_of_the_oldest_stale_mark_is_the_lag(client):
    police = Institution.objects.create(code="PN", name="Policía", short_name="PN")
    assert figures_of(client.get("/metrics"))["tablero_stale_lag_seconds"] == 0
    for seconds in (5, 90):
        at = timezone.now() - timezone.timedelta(seconds=seconds)
        StaleMark.objects.create(month=MONTH, institution=police, marked_at=at)
    figures = figures_of(client.get("/metrics"))
    assert 90 <= figures["tablero_stale_lag_seconds"] < 120
    assert figures["tablero_stale_marks"] == 2
    assert figures['tablero_up{source="stale"}'] == 1


@pytest.mark.django_db
def test_tasks_that_no_worker_took_are_counted(client):
    from scorecard.celery import app

    assert metrics.queue_depth("nobody-takes-this") == 0
    for _ in range(3):
        app.send_task("nobody.knows", queue="nobody-takes-this")
    assert metrics.queue_depth("nobody-takes-this") == 3
    assert "tablero_queue_messages" in figures_of(client.get("/metrics"))


@pytest.mark.django_db
def test_a_source_that_fails_takes_no_other_with_it(client, monkeypatch):
    monkeypatch.setitem(metrics.READERS, "stale", metrics._backlog("stale", "no_such_table", "nothing"))
    figures = figures_of(client.get("/metrics"))
    assert figures['tablero_up{source="stale"}'] == 0
    assert figures['tablero_up{source="broker"}'] == 1


NO = 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("about", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, NO),
        ({"REMOTE_ADDR": ""}, NO),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, NO),  # through a proxy on this machine
        ({"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer the-token"}, 200),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer another"}, NO),
    ],
)
def test_metrics_are_read_from_allowed_networks_or_with_the_token(client, settings, about, status):
    settings.METRICS_TOKEN = "the-token"
    assert client.get("/metrics", **about).status_code == status


@pytest.mark.django_db
def test_a_network_may_be_allowed(client, settings):
    settings.METRICS_ALLOWED = ["10.0.0.0/8"]
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get("/metrics").status_code == NO


@pytest.mark.django_db
def test_metrics_are_of_prometheuss_form(client):
    response = client.get("/metrics")
    assert response["Content-Type"].startswith("text/plain; version=")
    assert re.search(r"^# HELP tablero_up .+$", response.content.decode(), re.MULTILINE)
    assert json.dumps(figures_of(response))
