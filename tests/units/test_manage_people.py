"""Accounts and grants on pages: only inside the tree where the administrator manages people."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.factories import small_country
from units.models import User
from units.permissions import Role, roles_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def country():
    return small_country(months=1, cards=False)


@pytest.fixture
def visit(client, country):
    def ask(person, address, **data):
        client.force_login(country.people[person])
        headers = {"accept-language": "en"}
        return client.post(address, data, headers=headers) if data else client.get(address, headers=headers)

    return ask


NEW = {
    "username": "lvera",
    "first_name": "Lucía",
    "last_name": "Vera",
    "title": "Teniente",
    "language": "en",
    "role": "viewer",
    "unit": "PN-01D01",
}


def test_a_person_is_added_with_a_first_role(visit):
    seen = visit("unit_administrator", reverse("manage-person-new"), **NEW, step="preview").context["preview"]
    assert any("Lucía Vera gains the role of viewer" in line for line in seen.access)
    assert not User.objects.filter(username="lvera").exists()
    assert visit("unit_administrator", reverse("manage-person-new"), **NEW, step="confirm").status_code == 302
    user = User.objects.get(username="lvera")
    assert [(role, unit.code) for role, unit in roles_of(user)] == [(Role.VIEWER, "PN-01D01")]
    assert not user.has_usable_password()


def test_a_name_that_is_taken_is_said_on_its_field(visit):
    response = visit("administrator", reverse("manage-person-new"), **{**NEW, "username": "VIEWER"}, step="preview")
    assert "already" in str(response.context["form"].errors["username"])


def test_roles_beyond_ones_own_are_not_offered_nor_taken(visit):
    response = visit("unit_administrator", reverse("manage-person-new"))
    offered = [value for value, _label in response.context["form"].fields["role"].choices]
    assert offered == ["viewer", "unit_administrator"]
    forged = visit(
        "unit_administrator", reverse("manage-person-new"), **{**NEW, "role": "administrator"}, step="confirm"
    )
    assert "role" in forged.context["form"].errors
    assert not User.objects.filter(username="lvera").exists()


@pytest.mark.parametrize(
    ("by", "username", "status"),
    [
        ("unit_administrator", "reporter", 200),
        ("unit_administrator", "nobody", 200),
        ("unit_administrator", "administrator", 404),
        ("unit_administrator", "minister", 404),
        ("administrator", "auditor", 200),
        ("viewer", "reporter", 403),
        ("auditor", "reporter", 403),
    ],
)
def test_people_outside_the_tree_are_not_there(visit, by, username, status):
    assert visit(by, reverse("manage-person", args=[username])).status_code == status


def test_an_account_that_may_do_more_is_seen_but_not_changed(visit, country):
    for name in ("manage-person-edit", "manage-person-password", "manage-person-active"):
        assert visit("unit_administrator", reverse(name, args=["reporter"])).status_code == 403
        assert visit("administrator", reverse(name, args=["reporter"])).status_code == 200


def test_a_grant_is_previewed_given_and_taken_back(visit, country):
    address = reverse("manage-person-grant", args=["nobody"])
    data = {"role": "approver", "unit": "PN-Z1"}
    seen = visit("administrator", address, **data, step="preview").context["preview"]
    assert any("gains the role of approver" in line and "6 units below" in line for line in seen.access)
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert roles_of(country.people["nobody"]) == [(Role.APPROVER, country.unit("PN-Z1"))]
    taken = reverse("manage-person-revoke", args=["nobody", "approver", "PN-Z1"])
    assert visit("administrator", taken, step="confirm").context["is_reason_missing"]
    assert visit("administrator", taken, step="confirm", reason="left the post").status_code == 302
    assert roles_of(country.people["nobody"]) == []
    assert visit("administrator", taken).status_code == 404


def test_a_link_is_shown_once_and_opens_the_choice_of_a_password(visit, client, country):
    address = reverse("manage-person-password", args=["viewer"])
    assert visit("administrator", address).context["link"] == ""
    link = visit("administrator", address, make="1").context["link"]
    assert link.startswith("http://testserver/")
    client.logout()
    response = client.get(link.removeprefix("http://testserver"), follow=True)
    assert response.status_code == 200
    assert response.context["validlink"]


def test_an_account_is_deactivated_with_a_reason(visit, country):
    address = reverse("manage-person-active", args=["viewer"])
    assert visit("administrator", address, step="confirm", reason="retired").status_code == 302
    assert not User.objects.get(username="viewer").is_active
    visit("administrator", address, step="confirm")
    assert User.objects.get(username="viewer").is_active


def test_a_person_is_edited(visit):
    data = {"first_name": "Ana", "last_name": "Ruiz", "title": "Capitán", "email": "", "language": "es"}
    address = reverse("manage-person-edit", args=["viewer"])
    assert visit("administrator", address, **data, step="confirm").status_code == 302
    assert str(User.objects.get(username="viewer")) == "Ana Ruiz"


def test_people_are_found_by_name_and_role(visit):
    text = visit("administrator", reverse("manage-people") + "?q=audit").text
    assert "Auditor" in text
    assert "Integrator" not in text
    assert "Reporter" in visit("administrator", reverse("manage-people") + "?role=reporter").text
    assert "Nobody" in visit("administrator", reverse("manage-people") + "?role=none").text


def test_the_list_tells_sign_ins_in_the_countrys_time(visit):
    User.objects.filter(username="viewer").update(last_login=datetime(2023, 10, 8, 1, 5, tzinfo=UTC))
    assert "10/07/2023 8:05 p.m." in visit("administrator", reverse("manage-people")).content.decode()
