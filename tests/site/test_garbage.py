"""Whatever stands in an address or comes in a form, the answer is a page that says what is wrong, never a failure."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from tests.site.country import username
from tests.site.pages import PAGES, About
from units.models import UnitUserObjectPermission
from units.permissions import Role, bulk_grants

pytestmark = pytest.mark.django_db

GARBAGE = (
    "",
    "-1",
    "²",
    "1e309",
    "9" * 40,
    "2023-13",
    "0000-01",
    "9999-12",
    "\x00",
    "' OR 1=1; DROP TABLE units_unit --",
    "%' %s {0} {{ x }} {% now %}",
    "<script>alert(1)</script>",
    "\u202eñandú 🚓 e\u0301",
    "x" * 6000,
)
HARD = ("", "²", "9" * 40, "0000-01", "9999-12", "\x00", "' OR 1=1 --", "<script>alert(1)</script>", "x" * 6000)
ALWAYS = ("page", "format", "next")  # whether a page reads them or not
METHODS = ("put", "patch", "delete", "options", "head", "trace")


@pytest.fixture
def country(standing_country):
    return standing_country


@pytest.fixture
def everyone(country, signed_in, db):
    """A client who may open every page: an administrator, reporter, auditor and approver above all."""
    able = country.people[username(Role.ADMINISTRATOR, "EST-EC")]
    more = [(able, role, country.unit("EST-EC")) for role in (Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR)]
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(more))
    return signed_in(able.username)


def fails(client, ask, *args, **options):
    """What a request that the site could not answer raised, in words; None where it was answered."""
    here = transaction.savepoint()
    try:
        response = getattr(client, ask)(*args, **options)
    finally:
        connection.needs_rollback = False
        transaction.savepoint_rollback(here)
    if response.status_code < 500:
        return None
    return repr(response.exc_info[1])[:200] if getattr(response, "exc_info", None) else response.status_code


def joined(address, **more):
    return f"{address}{'&' if '?' in address else '?'}{urlencode(more)}"


def shown(text):
    return text if len(text) < 50 else f"{text[:20]}... of {len(text)}"


@pytest.mark.parametrize("name", [name for name in PAGES if "GET" in PAGES[name].methods])
def test_whatever_stands_in_the_address_the_page_answers(name, country, everyone):
    page = PAGES[name]
    address, wrong = page.address(name, country), {}
    for asked in dict.fromkeys((*page.asks, *ALWAYS)):
        for text in GARBAGE if asked in page.asks else HARD[1:3]:
            if failure := fails(everyone, "get", joined(address, **{asked: text})):
                wrong[asked, shown(text)] = failure
    assert wrong == {}


@pytest.mark.parametrize("name", PAGES)
def test_whatever_is_named_in_the_path_the_page_answers(name, country, everyone):
    page = PAGES[name]
    given = page.args(country) if callable(page.args) else page.args
    ask, wrong, tried = page.methods[-1].lower(), {}, 0
    for place in range(len(given)):
        for text in HARD[1:]:
            named = [*given[:place], int(text) if isinstance(given[place], int) and text.isdecimal() else text]
            try:
                address = reverse(name, args=[*named, *given[place + 1 :]])
            except NoReverseMatch:
                continue  # no such address
            tried += 1
            for method in {ask, "get"}:
                if failure := fails(everyone, method, address):
                    wrong[method, place, shown(text)] = failure
    assert wrong == {}
    assert tried or not given


@pytest.mark.parametrize("name", [name for name in PAGES if name not in {"logout", "set_language"}])
def test_a_method_that_a_page_does_not_know_is_answered(name, country, everyone):
    address = PAGES[name].address(name, country)
    assert {method: fails(everyone, method, address) for method in METHODS} == dict.fromkeys(METHODS)


FORMS = [name for name in PAGES if "POST" in PAGES[name].methods and PAGES[name].about is not About.NOTHING]


def fields_of(client, page, address):
    """The form's fields as they stand, and those that the matrix posts."""
    form = (client.get(address).context or {}).get("form") if "GET" in page.methods else None
    return {field.html_name: field.value() for field in form} if form else {}


@pytest.mark.parametrize("name", FORMS)
def test_whatever_is_typed_into_a_form_the_page_answers(name, country, everyone):
    page = PAGES[name]
    address = page.address(name, country)
    good = {**fields_of(everyone, page, address), **page.data(country)}
    good = {field: value for field, value in good.items() if value is not None and not hasattr(value, "read")}
    wrong = {}
    for place, field in enumerate(good):
        for text in {"\x00", HARD[place % len(HARD)]}:
            if failure := fails(everyone, "post", address, {**good, field: text}):
                wrong[field, shown(text)] = failure
    for text in HARD:
        if failure := fails(everyone, "post", address, dict.fromkeys(good, text)):
            wrong["all", shown(text)] = failure
    assert wrong == {}


SENT_EMPTY = [name for name in FORMS if PAGES[name].has_required]


@pytest.mark.parametrize("name", SENT_EMPTY)
def test_an_empty_form_comes_back_with_its_fields_named(name, country, everyone):
    response = everyone.post(PAGES[name].address(name, country), {"step": "confirm", "reason": "so agreed"})
    assert response.status_code in {200, 422}
    form, text = response.context["form"], html.unescape(response.content.decode())
    required = [field for field in form if field.field.required and field.errors]
    assert required
    for field in required:
        assert f'<a href="#{field.id_for_label}">{field.label}: {field.errors[0]}</a>' in text
        assert re.search(
            rf'aria-invalid="true"[^>]*id="{field.auto_id}|id="{field.auto_id}[^>]*aria-invalid="true"', text
        )


FILES = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "html": b"<html><body>not a table</body></html>",
    "one line": b"unit" + b"x" * 100_000,
    "not a workbook": b"PK\x03\x04" + b"\x00" * 2000,
    "other columns": b"a,b,c\n1,2,3\n",
    "utf-16": "unidad;mes\nPN-EC;2023-10\n".encode("utf-16"),
}


@pytest.mark.parametrize("name", ["values.csv", "plan.xlsx", "../../x.csv", "no-suffix", "x" * 300 + ".csv"])
@pytest.mark.parametrize("kind", ["values", "plan", "other"])
def test_whatever_file_is_sent_the_page_answers(kind, name, everyone):
    wrong = {}
    for about, content in FILES.items():
        sent = {"kind": kind, "file": SimpleUploadedFile(name, content)}
        response = everyone.post(reverse("imports"), sent)
        if response.status_code >= 500:
            wrong[about] = repr(response.exc_info)
        elif response.status_code == 302:
            for method in ("get", "post"):
                if failure := fails(everyone, method, response["location"]):
                    wrong[about, method] = failure
    assert wrong == {}
