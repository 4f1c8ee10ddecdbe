"""Service accounts and tokens on pages: at the head of an institution, shown once, ended by hand, never forgotten."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import small_country
from units import actions, tokens
from units.models import ServiceToken, User
from units.permissions import Role

NEW = {"institution": "PN", "username": "ecu911", "name": "Emergencies", "role": "integrator"}


@pytest.fixture
def country(db):
    return small_country(zones=1, districts=1, circuits=1, months=1, cards=False)


@pytest.fixture
def account(country):
    police = country.institutions["PN"]
    return tokens.add_account(by=None, institution=police, username="feed", name="Feed", role=Role.INTEGRATOR)


@pytest.fixture
def visit(client, country):
    def ask(person, name, /, *args, **data):
        client.force_login(country.people[person])
        address, headers = reverse(name, args=args), {"accept-language": "en"}
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


@pytest.mark.django_db
def test_an_account_is_added_and_its_token_opens_the_api(visit, country):
    assert visit("administrator", "manage-account-new", **NEW, step="preview").status_code == 200
    assert not User.objects.filter(username="ecu911").exists()
    assert visit("administrator", "manage-account-new", **NEW, step="confirm").status_code == 302
    answer = visit("administrator", "manage-account-token", "ecu911", name="server", days="90")
    assert answer["Cache-Control"].startswith("max-age=0")
    plain = re.search(r'value="(tab_[^"]+)"', answer.content.decode())[1]
    reader = Client(headers={"Authorization": f"Bearer {plain}"})
    assert [one["code"] for one in reader.get("/api/v1/institutions").json()["results"]] == ["PN"]
    token = ServiceToken.objects.get()
    assert (token.created_by, token.name) == (country.people["administrator"], "server")
    shown = visit("administrator", "manage-account", "ecu911").content.decode()
    assert token.prefix in shown
    assert plain not in shown


@pytest.mark.django_db
def test_a_revoked_token_stays_listed_with_its_end_and_opens_nothing(visit, account):
    now = timezone.now()
    token, plain = tokens.issue(by=None, account=account, name="t", expires_at=now + timedelta(days=9), now=now)
    address = ("manage-account-revoke", "feed", token.pk)
    assert visit("administrator", *address, step="confirm").context["is_reason_missing"]
    assert visit("administrator", *address, step="confirm", reason="lost").status_code == 302
    assert Client(headers={"Authorization": f"Bearer {plain}"}).get("/api/v1/units").json()["rule"] == "revoked_token"
    assert "revoked on" in visit("administrator", "manage-account", "feed").content.decode()
    again = visit("administrator", *address, step="confirm", reason="again")
    assert "This token has been revoked." in again.content.decode()
    assert visit("administrator", "manage-account-revoke", "feed", token.pk + 1).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("person", "status"), [("administrator", 200), ("viewer", 403), ("unit_administrator", 403), ("nobody", 404)]
)
def test_accounts_are_managed_at_the_head_of_their_institution(person, status, visit, account):
    assert visit(person, "manage-account", "feed").status_code == status


@pytest.mark.django_db
def test_nobody_issues_a_token_for_more_than_he_may_give(visit, account, country):
    manager = country.people["unit_administrator"]
    actions.grant_role(by=None, user=manager, role=Role.UNIT_ADMINISTRATOR, unit=country.unit("PN-EC"))
    shown = visit("unit_administrator", "manage-account", "feed")
    assert shown.context["why_not"]
    assert visit("unit_administrator", "manage-account-token", "feed").status_code == 403
    roles = visit("unit_administrator", "manage-account-new").context["form"].fields["role"].choices
    assert [role for role, _words in roles] == ["viewer"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [({"username": "FEED"}, "username"), ({"institution": "EST"}, "institution"), ({"role": "auditor"}, "role")],
)
def test_what_cannot_be_is_said_on_its_field(given, field, visit, account):
    assert field in visit("administrator", "manage-account-new", **{**NEW, **given}).context["form"].errors


@pytest.mark.django_db
def test_a_person_is_no_service_account(visit, country):
    assert visit("administrator", "manage-account", "viewer").status_code == 404


@pytest.mark.django_db
def test_the_list_asks_as_many_questions_for_many_accounts_as_for_few(visit, country, account, count_queries):
    counts, now = [], timezone.now()
    visit("administrator", "manage-accounts")  # what is asked once a process
    for n in range(2):
        with count_queries() as queries:
            page = visit("administrator", "manage-accounts")
            assert page.status_code == 200
        counts.append(len(queries.page))
        for k in range(5):
            made = tokens.add_account(
                by=None, institution=country.institutions["PN"], username=f"more{n}{k}", name="M", role=Role.VIEWER
            )
            tokens.issue(by=None, account=made, name="t", expires_at=now + timedelta(days=1), now=now)
    assert counts[0] == counts[1] <= 8


def test_the_token_is_copied_by_its_button(country, account, page, live_server, sign_in):
    sign_in(country.people["administrator"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(live_server.url + reverse("manage-account-token", args=["feed"]))
    page.fill("[name=name]", "server")
    page.click("main form .button:not(.quiet)")
    page.click("[data-copy=token]")
    page.wait_for_function("document.querySelector('[data-copy=token]').textContent !== 'Copiar'")
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#token")
