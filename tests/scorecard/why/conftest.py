"""The small country whose homicides are counted from events: two years of them, thick in one zone."""

import pytest


@pytest.fixture(scope="package")
def standing_country(django_db_setup, django_db_blocker):
    """A country that stands for all tests of this directory; what a test changes in it is undone after the test."""
    from django.db import transaction

    from tests.scorecard.why.country import counted_country

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield counted_country()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture
def country(standing_country, db):
    return standing_country


@pytest.fixture
def minister(country):
    """A client of the person who sees everything and analyses in the police, reading in English."""
    from tests.scorecard.country import signed_in

    return signed_in(country.people["minister"])
