"""The test bed keeps its promises."""

import os
import re

import pytest
from django.db import connection
from django.template import Context, Template


def test_the_database_is_postgresql_in_utf8_and_utc(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()")
        assert cursor.fetchone() == ("UTF8",)
        cursor.execute("SHOW timezone")
        assert cursor.fetchone() == ("UTC",)
    assert connection.settings_dict["NAME"].startswith("test_")


def test_an_undefined_template_variable_fails():
    with pytest.raises(pytest.fail.Exception, match="nothing_of_the_kind"):
        Template("{{ nothing_of_the_kind }}").render(Context())


def test_counting_leaves_out_session_and_user(client, count_queries, django_user_model):
    client.force_login(django_user_model.objects.create_user("ana"))
    with count_queries() as queries:
        client.post("/accounts/logout/")
    assert queries
    assert queries.page == []


def test_state_of_the_demo_is_out_of_reach():
    assert "tablero-test-" in os.environ["VAR_DIR"]


def test_a_task_is_carried_out_by_a_real_worker_on_this_tests_database(real_celery, wait_until):
    from scorecard.celery import app

    app.send_task("scorecard.tasks.sweep")
    wait_until(lambda: re.search(r"scorecard.tasks.sweep\S+ (succeeded|raised)", real_celery.read_text()))
    assert "Traceback" not in real_celery.read_text()


def test_a_page_is_drawn_by_a_real_browser_without_asking_another_site(page, live_server, outside_requests):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/")
    assert page.locator("form [name=password]").count() == 1
    assert outside_requests == []
    assert complaints == []


def test_a_session_can_be_given_to_the_browser(sign_in, live_server, django_user_model):
    page = sign_in(django_user_model.objects.create_user("ana"))
    assert page.goto(f"{live_server.url}/accounts/password_change/").url.endswith("/accounts/password_change/")
