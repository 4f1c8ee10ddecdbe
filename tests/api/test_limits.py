"""Who may ask, how often, and what a refusal says."""

import gzip
import io
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from units import actions, tokens
from units.api import metering, throttling
from units.permissions import Role

pytestmark = pytest.mark.django_db
UNITS = "/api/v1/units"


@pytest.fixture
def client_here(country, api):
    return api(Role.INTEGRATOR, country.unit("PN-EC"))


def problem(response):
    assert response["Content-Type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == response.status_code
    assert found["title"]
    assert found["detail"]
    return response.status_code, found["rule"]


def test_without_a_token_nothing_is_read(country):
    response = Client().get(UNITS)
    assert problem(response) == (401, "no_token")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_is_not_known_is_refused(country):
    response = Client(headers={"Authorization": "Bearer tab_none"}).get(UNITS)
    assert problem(response) == (401, "unknown_token")


def test_a_revoked_token_is_refused_at_once(client_here):
    assert client_here.get(UNITS).status_code == 200
    tokens.revoke(by=None, token=client_here.token, now=timezone.now())
    assert problem(client_here.get(UNITS)) == (401, "revoked_token")


def test_an_inactive_account_is_refused_at_once(client_here):
    actions.set_active(by=None, user=client_here.account, is_active=False)
    assert problem(client_here.get(UNITS)) == (401, "inactive_account")


def test_a_refusal_is_in_the_askers_language(client_here, country):
    spanish = Client().get(UNITS, headers={"Accept-Language": "es"}).json()
    english = Client().get(UNITS, headers={"Accept-Language": "en"}).json()
    assert english["title"] == "A valid token is needed"
    assert spanish["title"] == "Hace falta un token válido"
    assert spanish["rule"] == english["rule"]


def test_a_person_who_has_signed_in_reads_and_writes_nothing(country):
    client = Client()
    client.force_login(country.people[Role.INTEGRATOR])
    assert client.get(UNITS).status_code == 200
    assert problem(client.post("/api/v1/measurements", "[]", "application/json")) == (401, "no_token")


def test_the_headers_say_how_much_is_left(client_here, settings):
    settings.API_RATE = 3
    left = []
    for _ in range(3):
        response = client_here.get(UNITS)
        assert response.status_code == 200
        assert response["RateLimit-Limit"] == "3"
        assert 0 < int(response["RateLimit-Reset"]) <= 60
        left.append(response["RateLimit-Remaining"])
    assert left == ["2", "1", "0"]
    response = client_here.get(UNITS)
    assert problem(response) == (429, "rate_limit")
    assert response["Retry-After"] == response["RateLimit-Reset"]
    assert response["RateLimit-Remaining"] == "0"


def test_each_account_has_its_own_limit(client_here, country, api, settings):
    settings.API_RATE = 1
    other = api(Role.VIEWER, country.unit("PN-EC"), username="other")
    assert [client_here.get(UNITS).status_code for _ in range(2)] == [200, 429]
    assert other.get(UNITS).status_code == 200


def test_a_window_ends(client_here, settings, monkeypatch):
    settings.API_RATE = 1
    at = throttling.time.time()
    for minute, expected in ((0, 200), (0, 429), (1, 200)):
        monkeypatch.setattr(throttling.time, "time", lambda minute=minute: at + 60 * minute)
        assert client_here.get(UNITS).status_code == expected


def test_where_valkey_does_not_answer_nothing_is_refused(client_here, settings, caplog, monkeypatch):
    import redis

    nobody = redis.Redis(port=1, socket_connect_timeout=1)
    monkeypatch.setattr(throttling.valkey, "client", lambda: nobody)
    settings.API_RATE = 1
    assert [client_here.get(UNITS).status_code for _ in range(3)] == [200, 200, 200]
    metering.meter(client_here.account, "PN", created=1)
    metering.send()
    assert "requests are not limited" in caplog.text
    assert "requests are not metered" in caplog.text


def test_an_installation_without_valkey_counts_in_the_process(client_here, settings, monkeypatch):
    monkeypatch.setattr(throttling.valkey, "client", lambda: None)
    settings.API_RATE = 1
    assert [client_here.get(UNITS).status_code for _ in range(2)] == [200, 429]


def test_minutes_and_totals_are_metered_by_account(client_here):
    now = timezone.now()
    metering.meter(client_here.account, "PN", now=now, created=5, refused=1)
    metering.meter(client_here.account, "PN", now=now, created=2)
    (minute,) = [m for m in metering.read_minutes(now=now, minutes=3) if m.account_id == client_here.account.pk]
    assert minute.minute == now.replace(second=0, microsecond=0)
    assert minute.institution == "PN"
    assert minute.counts == {"requests": 2, "created": 7, "refused": 1}
    assert metering.totals()[client_here.account.pk, "PN"]["created"] == 7


def test_an_address_that_is_not_there_says_so_as_the_api_does(client_here):
    assert problem(client_here.get("/api/v1/nothing")) == (404, "not_found")
    assert problem(client_here.delete(UNITS)) == (405, "method_not_allowed")
    assert problem(client_here.get(f"{UNITS}?limit=0")) == (400, "invalid_parameter")
    assert problem(client_here.get(f"{UNITS}?cursor=xx")) == (400, "invalid_cursor")
    assert problem(client_here.get(f"{UNITS}?level=9")) == (400, "invalid_parameter")


@pytest.mark.parametrize("name", ["schema", "units", "incidents", "incidents/1", f"jobs/{UUID(int=1)}"])
def test_a_method_that_is_not_taken_is_told_alike_everywhere(client_here, name):
    for method in (client_here.options, client_here.put, client_here.delete):
        response = method(f"/api/v1/{name}")
        assert problem(response) == (405, "method_not_allowed")
        assert response.json()["detail"] == f'Method "{method.__name__.upper()}" not allowed.'
        assert response["Allow"] == ("GET, HEAD, POST" if name == "incidents" else "GET, HEAD")


def test_whoever_may_get_may_ask_for_the_headers_alone(client_here):
    assert client_here.head(UNITS).status_code == 200
    assert client_here.head(f"/api/v1/jobs/{UUID(int=1)}").status_code == 404


@pytest.mark.parametrize("name", ["schema", "units", "incidents"])
def test_a_problem_is_json_whatever_form_was_asked_for(client_here, name):
    response = client_here.get(f"/api/v1/{name}", headers={"Accept": "application/x-none"})
    assert problem(response) == (406, "not_acceptable")
    for accept in ("text/csv", "application/yaml", "application/json"):
        assert problem(client_here.put(f"/api/v1/{name}", headers={"Accept": accept}))[0] in (405, 406)


@pytest.mark.parametrize("name", ["incidents", "measurements"])
def test_a_compressed_body_is_refused_as_such(client_here, name):
    body, headers = gzip.compress(b"[]"), {"Content-Encoding": "gzip"}
    response = client_here.post(f"/api/v1/{name}", body, content_type="application/json", headers=headers)
    assert problem(response) == (415, "encoding_unknown")
    assert response["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", ["incidents", "measurements"])
def test_a_try_that_is_not_written_as_one_is_refused_and_writes_nothing(client_here, name):
    for word in ("yes", "2", ""):
        response = client_here.post(f"/api/v1/{name}?dry_run={word}", b"[{}]", content_type="application/json")
        assert problem(response) == (400, "invalid_parameter")
    for word, is_try in (("1", True), ("True", True), ("0", None)):
        response = client_here.post(f"/api/v1/{name}?dry_run={word}", b"[{}]", content_type="application/json")
        assert (response.status_code, response.json().get("dry_run")) == (200, is_try)


@pytest.mark.parametrize("name", ["incidents", "measurements"])
def test_a_body_in_chunks_is_read_to_its_end(client_here, name):
    chunks = {"wsgi.input": io.BytesIO(b'[{"no": 1}]'), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    response = client_here.post(f"/api/v1/{name}", content_type="application/json", **chunks)
    assert (response.status_code, response.json()["refused"]) == (200, 1)


def test_a_body_whose_chunks_end_too_early_is_no_fault_of_ours(client_here):
    class Gone(io.RawIOBase):
        def read(self, size=-1):
            raise OSError

    chunks = {"wsgi.input": Gone(), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    response = client_here.post("/api/v1/incidents", content_type="application/json", **chunks)
    assert problem(response) == (400, "unreadable")


def test_a_host_that_is_not_ours_is_told_as_the_api_does(client_here):
    assert problem(client_here.get(UNITS, headers={"Host": "elsewhere.example"})) == (400, "unreadable")
