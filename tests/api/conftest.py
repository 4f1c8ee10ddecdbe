from datetime import timedelta

import pytest
from django.utils import timezone


@pytest.fixture(scope="module")
def country(django_db_setup, django_db_blocker):
    """The small country for all tests of a module; what a test changes in it is undone after the test."""
    from django.db import transaction

    from tests.factories import small_country

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield small_country()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture
def api(db):
    """`api(role, unit)`: a client with the token of a service account that holds the role there.

    Its `account` and `token` are the rows.
    """
    from django.test import Client

    from units import actions, tokens
    from units.models import User

    def client_of(role, unit, *, institution=None, username="feed"):
        account = User.objects.filter(username=username).first() or User.objects.create(
            username=username, first_name="Feed", password="!", institution=institution or unit.institution
        )
        actions.grant_role(by=None, user=account, role=role, unit=unit)
        now = timezone.now()
        token, plain = tokens.issue(by=None, account=account, name="test", expires_at=now + timedelta(days=1), now=now)
        client = Client(headers={"Authorization": f"Bearer {plain}", "Accept-Language": "en"})
        client.account, client.token = account, token
        return client

    return client_of
