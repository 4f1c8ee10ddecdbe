"""Who may do what, and who may appoint whom."""

import pytest
from django.core.exceptions import ValidationError

from tests.factories import small_country
from units import actions
from units.models import Unit, User
from units.people import held_by, may_give, roles_to_give, visible_people, why_not_change
from units.permissions import VERBS, Permission, Role, can, roles_of, verbs_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def country():
    return small_country(months=1, cards=False)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_holds_in_its_unit_and_below_and_nowhere_else(country, role):
    user = User.objects.create(username="new")
    actions.grant_role(by=None, user=user, role=role, unit=country.unit("PN-01D01"))
    for permission in Permission:
        allowed = permission in VERBS[role]
        assert can(user, permission, country.unit("PN-01D01")) is allowed
        assert can(user, permission, country.unit("PN-01D01C01")) is allowed
        assert not can(user, permission, country.unit("PN-Z1"))
        assert not can(user, permission, country.unit("PN-01D02"))
    assert verbs_in(user, country.unit("PN-01D01C01")) == VERBS[role]


def test_nobody_gives_a_role_that_allows_more_than_their_own(country):
    by, user = country.people["unit_administrator"], country.people["nobody"]
    for role in (Role.ADMINISTRATOR, Role.AUDITOR, Role.APPROVER, Role.REPORTER):
        with pytest.raises(ValidationError, match="allows more"):
            actions.grant_role(by=by, user=user, role=role, unit=country.unit("PN-Z1"))
    actions.grant_role(by=by, user=user, role=Role.UNIT_ADMINISTRATOR, unit=country.unit("PN-01D01"))
    assert roles_of(user) == [(Role.UNIT_ADMINISTRATOR, country.unit("PN-01D01"))]


def test_nobody_gives_a_role_outside_their_tree(country):
    by, user = country.people["unit_administrator"], country.people["nobody"]
    with pytest.raises(ValidationError, match="allows more"):
        actions.grant_role(by=by, user=user, role=Role.VIEWER, unit=country.unit("PN-Z2"))


def test_nobody_gives_or_takes_roles_of_their_own(country):
    by = country.people["administrator"]
    with pytest.raises(ValidationError, match="their own"):
        actions.grant_role(by=by, user=by, role=Role.REPORTER, unit=country.unit("PN-Z1"))
    with pytest.raises(ValidationError, match="their own"):
        actions.revoke_role(by=by, user=by, role=Role.ADMINISTRATOR, unit=country.unit("PN-EC"))


def test_an_administrator_appoints_every_role(country):
    assert roles_to_give(country.people["administrator"], country.unit("PN-Z1")) == list(Role)
    assert not may_give(VERBS[Role.APPROVER], Role.VIEWER)


def test_a_tree_keeps_an_administrator(country):
    first, top = country.people["administrator"], country.unit("PN-EC")
    superuser = User.objects.create(username="root", is_superuser=True)
    with pytest.raises(ValidationError, match="without an administrator"):
        actions.revoke_role(by=superuser, user=first, role=Role.ADMINISTRATOR, unit=top)
    with pytest.raises(ValidationError, match="without an administrator"):
        actions.set_active(by=superuser, user=first, is_active=False)
    second = country.people["nobody"]
    actions.grant_role(by=superuser, user=second, role=Role.ADMINISTRATOR, unit=top)
    actions.set_active(by=superuser, user=second, is_active=False)
    with pytest.raises(ValidationError, match="without an administrator"):
        actions.revoke_role(by=superuser, user=first, role=Role.ADMINISTRATOR, unit=top)
    actions.set_active(by=superuser, user=second, is_active=True)
    actions.revoke_role(by=superuser, user=first, role=Role.ADMINISTRATOR, unit=top)
    assert roles_of(first) == []


def test_an_administrator_above_is_enough_for_a_lower_tree(country):
    superuser = User.objects.create(username="root", is_superuser=True)
    user = country.people["nobody"]
    actions.grant_role(by=superuser, user=user, role=Role.ADMINISTRATOR, unit=country.unit("PN-Z1"))
    actions.revoke_role(by=superuser, user=user, role=Role.ADMINISTRATOR, unit=country.unit("PN-Z1"))
    assert roles_of(user) == []


def test_nobody_changes_an_account_that_may_do_more(country):
    """A unit administrator could otherwise reset the password of an administrator and sign in as one."""
    by, target = country.people["unit_administrator"], country.people["administrator"]
    superuser = User.objects.create(username="root", is_superuser=True)
    actions.grant_role(by=superuser, user=target, role=Role.VIEWER, unit=country.unit("PN-Z1"))
    assert target in visible_people(by)
    assert why_not_change(by=by, user=target)
    for change in (
        lambda: actions.withdraw_password(by=by, user=target),
        lambda: actions.set_active(by=by, user=target, is_active=False),
        lambda: actions.edit_person(by=by, user=target, first_name="X", last_name="Y"),
    ):
        with pytest.raises(ValidationError, match="which you may not give or take"):
            change()
    assert why_not_change(by=country.people["administrator"], user=superuser)


def test_people_are_seen_where_they_hold_a_role(country):
    seen = set(visible_people(country.people["unit_administrator"]).values_list("username", flat=True))
    assert {"reporter", "viewer", "unit_administrator", "nobody"} <= seen
    assert not {"administrator", "auditor", "minister"} & seen
    assert not visible_people(country.people["viewer"]).exists()


def test_an_inactive_person_may_do_nothing(country):
    user = country.people["reporter"]
    actions.set_active(by=None, user=user, is_active=False)
    assert not can(user, Permission.VIEW, country.unit("PN-01D01C01"))
    assert held_by([user])[user.pk] == [(Role.REPORTER, country.unit("PN-01D01C01"))]


def test_visibility_is_one_query(country, django_assert_num_queries):
    with django_assert_num_queries(1):
        list(Unit.objects.visible_to(country.people["unit_administrator"], Permission.MANAGE_UNITS))
    with django_assert_num_queries(1):
        can(country.people["viewer"], Permission.VIEW, country.unit("PN-Z1"))
