"""A database that is away is told from a fault: come again, and when."""

import pytest
from django.db import connection
from django.test import Client

from tests.factories import small_country

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def away():
    """The server has ended this process's connection; the next question finds that out."""
    country = small_country(cards=False, months=1)
    client = Client(raise_request_exception=False)
    client.force_login(country.people["analyst"])
    other = connection.copy()
    with connection.cursor() as cursor, other.cursor() as killer:
        cursor.execute("SELECT pg_backend_pid()")
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", cursor.fetchone())
    other.close()
    yield client
    connection.close()


def test_a_sender_is_told_to_come_again(away):
    response = away.get("/api/v1/units")
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["rule"] == "not_available"


def test_a_person_sees_a_page(away):
    response = away.get("/")
    assert response.status_code == 503
    assert b"<h1>" in response.content
