"""A request that holds what no text holds is refused in plain words before any page sees it."""

import pytest
from django.test import Client, RequestFactory

from units.middleware import OnlyText

WORDS = "holds a character that no text has"
pytestmark = pytest.mark.django_db


@pytest.fixture
def in_english():
    client = Client()
    client.cookies["django_language"] = "en"
    return client


@pytest.mark.parametrize("address", ["/units/PN%00/", "/search?q=a%00b", "/accounts/login/?next=%00"])
def test_an_address_with_nul_is_refused_in_the_readers_language(in_english, address):
    response = in_english.get(address)
    assert response.status_code == 400
    assert WORDS in response.content.decode()
    in_english.cookies["django_language"] = "es"
    assert "un carácter que ningún texto tiene" in in_english.get(address).content.decode()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", None])
def test_a_field_with_nul_is_refused_however_the_form_is_sent(in_english, kind):
    sent = {"username": "a\0", "password": "b"}
    encoded = {"data": sent} if kind is None else {"data": "username=a%00&password=b", "content_type": kind}
    response = in_english.post("/accounts/login/", **encoded)
    assert response.status_code == 400
    assert WORDS in response.content.decode()


def test_a_cookie_with_nul_is_refused(in_english):
    response = in_english.get("/", headers={"cookie": 'django_language=en; sessionid="abcdefgh\\000"'})
    assert response.status_code == 400


def test_an_api_says_so_as_a_problem(in_english):
    response = in_english.get("/api/v1/units?q=%00")
    assert (response.status_code, response["content-type"]) == (400, "application/problem+json")
    assert response.json()["rule"] == "no_text"
    assert WORDS in response.json()["detail"]


def test_a_body_that_the_page_reads_itself_is_left_unread():
    def view(request):
        return None

    view.csrf_exempt = True
    request = RequestFactory().post("/api/v1/incidents", b"a=%00", content_type="application/x-www-form-urlencoded")
    assert OnlyText(lambda request: None).process_view(request, view, (), {}) is None
    assert request.read() == b"a=%00"


def test_text_in_every_script_passes(in_english):
    assert in_english.get("/accounts/login/?next=/%C3%B1%2500%F0%9F%9A%93").status_code == 200
