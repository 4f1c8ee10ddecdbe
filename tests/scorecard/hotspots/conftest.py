"""The small country and a town of events in one of its districts."""

import pytest
from django.core.cache import cache


@pytest.fixture
def kinds(standing_country, db):
    from tests.scorecard.events import categories

    cache.clear()
    return categories()


@pytest.fixture
def country(standing_country, kinds):
    from tests.scorecard.hotspots.town import town

    town(standing_country, kinds["T.ROBBERY.PERSON"])
    return standing_country


@pytest.fixture(scope="module")
def standing_country(django_db_setup, django_db_blocker):
    """A small country that stands for all tests of a module; what a test changes in it is undone after the test."""
    from django.db import transaction

    from tests.factories import small_country

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield small_country(cards=False, months=2)
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
