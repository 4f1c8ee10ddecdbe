"""Every line says which request or task it belongs to, and no line says who a person is."""

import asyncio
import json
import logging
import re

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import reverse

from scorecard import logs


def line_of(record, style="json"):
    logs.Filter().filter(record)
    return logs.Formatter(style).format(record)


@pytest.fixture
def lines(caplog):
    """The access lines of a test as dicts, as they would be written."""
    caplog.set_level(logging.DEBUG, logger="scorecard.access")
    caplog.handler.addFilter(logs.Filter())
    return lambda: [
        json.loads(logs.Formatter("json").format(record))
        for record in caplog.records
        if record.name == "scorecard.access"
    ]


@pytest.mark.django_db
def test_a_request_has_one_line_with_method_path_status_time_user_and_id(client, lines, django_user_model):
    user = django_user_model.objects.create(username="ana.vera", first_name="Ana", last_name="Vera")
    client.force_login(user)
    response = client.get(reverse("style"), {"q": "secreto"})
    [line] = lines()
    assert line["request"] == response["X-Request-ID"]
    assert (line["method"], line["path"], line["status"], line["user"]) == ("GET", "/style", 200, user.pk)
    assert line["ms"] > 0
    assert "ana" not in json.dumps(line).lower()
    assert "secreto" not in json.dumps(line)


@pytest.mark.django_db
def test_a_name_or_a_token_in_an_address_is_not_logged(admin_client, lines, django_user_model):
    django_user_model.objects.create(username="ana.vera")
    admin_client.get(reverse("manage-person", args=["ana.vera"]))
    admin_client.get(reverse("password_reset_confirm", args=["MQ", "the-token"]))
    assert [line["path"] for line in lines()] == ["/manage/people/-/", "/accounts/reset/-/-/"]


@pytest.mark.parametrize("given", ["abcdef-123456", "0af7651916cd43dd8448eb211c80319c"])
def test_a_sane_id_of_the_caller_is_kept_and_returned(client, lines, given):
    response = client.get("/healthz", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] == given
    assert lines()[0]["request"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "two words here", "line\u2028break12", 'quo"te-123456', "-" * 20]
)
def test_any_other_id_is_replaced(client, lines, given):
    response = client.get("/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{24}", response["X-Request-ID"])


def test_the_id_is_known_inside_and_forgotten_after():
    seen = []

    def view(request):
        seen.append(logs.request_id.get())
        return HttpResponse()

    response = logs.Requests(view)(RequestFactory().get("/"))
    assert seen == [response["X-Request-ID"]]
    assert logs.request_id.get() == ""


def test_requests_of_one_event_loop_do_not_share_an_id():
    seen = {}

    async def view(request):
        before = logs.request_id.get()
        await asyncio.sleep(0)
        seen[request.path] = (before, logs.request_id.get())
        return HttpResponse()

    async def both():
        middleware = logs.Requests(view)
        return await asyncio.gather(*(middleware(AsyncRequestFactory().get(path)) for path in ("/a", "/b")))

    first, second = asyncio.run(both())
    assert seen == {"/a": (first["X-Request-ID"],) * 2, "/b": (second["X-Request-ID"],) * 2}
    assert first["X-Request-ID"] != second["X-Request-ID"]


def record_of(message, *args, **more):
    return logging.LogRecord("scorecard", logging.INFO, __file__, 1, message, args, more.get("exc_info"))


def test_a_line_is_one_line_whatever_is_said():
    record = record_of('a "quoted"\nword of %s', "día")
    record.fields = {"status": 200, "nothing": None}
    assert line_of(record, "line").endswith('logger=scorecard message="a \\"quoted\\"\\nword of día" status=200')
    assert json.loads(line_of(record))["message"] == 'a "quoted"\nword of día'
    assert "\n" not in line_of(record, "line") + line_of(record)


def test_a_failure_has_its_traceback_on_the_same_line():
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = record_of("it failed", exc_info=(ValueError, error, error.__traceback__))
    assert "ValueError: broken" in json.loads(line_of(record))["error"]
    assert "\n" not in line_of(record, "line")


def test_a_task_carries_the_id_of_the_request_that_asked_for_it():
    token = logs.request_id.set("abcdef-123456")
    try:
        headers = {}
        logs.send_id(headers=headers)
    finally:
        logs.request_id.reset(token)
    assert headers == {"request_id": "abcdef-123456"}


def test_a_task_is_carried_out_under_that_id(real_celery, wait_until, settings):
    from scorecard.celery import app

    token = logs.request_id.set("carried-123456")
    try:
        app.send_task(settings.STALE_TASK)
    finally:
        logs.request_id.reset(token)
    ends = r"request=carried-123456 task=scorecard\.tasks\.drain message=.*succeeded"
    wait_until(lambda: re.search(ends, real_celery.read_text()))
