import pytest


@pytest.fixture(scope="module")
def standing_country(django_db_setup, django_db_blocker):
    """The whole country for all tests of a module; what a test changes in it is undone after the test."""
    from django.db import transaction

    from tests.site.country import whole_country

    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield whole_country()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture(scope="module")
def signed_in(standing_country, django_db_blocker):
    """`signed_in("name", language)`: a client that holds the person's session. All sign in before the first test."""
    from django.test import Client

    clients = {name: Client(raise_request_exception=False) for name in standing_country.people}
    with django_db_blocker.unblock():
        for name, client in clients.items():
            client.force_login(standing_country.people[name])

    def client_of(name, language="es"):
        clients[name].cookies["django_language"] = language
        return clients[name]

    return client_of


@pytest.fixture(autouse=True)
def _refusals_are_not_logged(caplog):
    """Pages are refused by the thousand here, as they should be."""
    caplog.set_level("CRITICAL", logger="django.request")
