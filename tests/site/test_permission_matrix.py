"""Who may open which page: every page, every role, held inside, above, beside and below what the page is about."""

from collections import Counter

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.site.country import username
from tests.site.pages import PAGES, About, addresses_of_the_site
from units.permissions import Role

pytestmark = pytest.mark.django_db

GUARDED = [name for name, page in PAGES.items() if page.about is not About.NOTHING]
CHANGING = [name for name in GUARDED if "POST" in PAGES[name].methods and PAGES[name].about is not About.OWNER]


@pytest.fixture
def country(standing_country):
    return standing_country


def holders(page, places=None):
    """(name of the person, role, place by name) of all who ask for the page."""
    for place in places or page.places:
        for role in Role:
            yield username(role, place.code), role, place.name
    yield "nobody", None, "inside"


def written():
    """Rows written in this transaction up to now, taken back or not, sessions aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
            " WHERE relname <> 'django_session'"
        )
        return cursor.fetchone()[0]


def test_every_address_is_in_the_matrix_once():
    found = Counter(addresses_of_the_site())
    assert sorted(found) == sorted(PAGES)
    assert [name for name, count in found.items() if count > 1] == []


@pytest.mark.parametrize("name", GUARDED)
def test_signing_in_comes_first(name, country):
    address = PAGES[name].address(name, country)
    for ask in (Client().get, Client().post):
        response = ask(address)
        assert response.status_code == 302
        assert response["location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", [name for name in GUARDED if "GET" in PAGES[name].methods])
def test_a_page_opens_for_those_whose_role_allows_it_there(name, country, signed_in):
    page = PAGES[name]
    address = page.address(name, country)
    wrong = {}
    for person, role, place in holders(page, page.places if page.is_somewhere else page.places[2:]):
        got, expected = signed_in(person).get(address).status_code, page.expected(role, place)
        if got != expected:
            wrong[role and str(role), place] = f"{got}, not {expected}"
    assert wrong == {}


@pytest.mark.parametrize("name", CHANGING)
def test_who_has_no_right_changes_nothing_and_who_has_it_does(name, country, signed_in):
    page = PAGES[name]
    address = page.address(name, country)
    able = next(person for person, role, place in holders(page) if place == "above" and page.may_change(role, place))
    data = {**as_shown(signed_in(able), page, address), **page.data(country)}
    wrong = {}
    for person, role, place in holders(page):
        if not page.may_change(role, place):
            expected, before = page.expected(role, place), written()
            status = signed_in(person).post(address, data).status_code
            if status != expected or written() != before:
                wrong[role and str(role), place] = f"{status}, not {expected}; {written() - before} rows written"
    assert wrong == {}
    before = written()
    with transaction.atomic():
        response = signed_in(able).post(address, data)
        transaction.set_rollback(True)
    assert response.status_code == page.done, said(response)
    assert written() > before or not page.writes, said(response)


def as_shown(client, page, address):
    """What the page's form says before anyone types."""
    if "GET" not in page.methods:
        return {}
    form = (client.get(address).context or {}).get("form")
    if form is None:
        return {}
    values = {bound.html_name: bound.value() for bound in form if bound.value() not in (None, [])}
    return {name: "on" if value is True else value for name, value in values.items() if value is not False}


def said(response):
    form = response.context and response.context.get("form")
    return form.errors.as_text() if form else response.content.decode()[:400]


@pytest.mark.parametrize("name", [name for name in GUARDED if "POST" not in PAGES[name].methods])
def test_a_page_that_is_only_read_changes_nothing_when_posted_to(name, country, signed_in):
    page = PAGES[name]
    for person, role, place in holders(page):
        if page.expected(role, place) == 200:
            before = written()
            assert signed_in(person).post(page.address(name, country)).status_code in {200, 405}
            assert written() == before
            break
    else:
        pytest.fail("nobody may open this page")
