import pytest


@pytest.fixture(scope="module")
def standing_country(django_db_setup, django_db_blocker):
    """A small country that stands for all tests of a module; what a test changes in it is undone after the test."""
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
def minister(standing_country, db):
    """A client of the person who sees everything, reading in English."""
    from tests.scorecard.country import signed_in

    return signed_in(standing_country.people["minister"])
