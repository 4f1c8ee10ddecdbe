"""Tokens of service accounts: what opens something and what does not."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tests.factories import NOW, small_country
from units import actions, tokens
from units.models import ServiceToken, User
from units.permissions import Role

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=90)


@pytest.fixture
def country():
    return small_country(zones=1, districts=1, circuits=1, months=1, cards=False)


@pytest.fixture
def account(country):
    return tokens.add_account(
        by=None, institution=country.institutions["PN"], username="feed", name="Feed", role=Role.INTEGRATOR
    )


def issue(account, *, by=None, expires_at=LATER, now=NOW):
    return tokens.issue(by=by, account=account, name="first", expires_at=expires_at, now=now)


def refusal(plain, now=NOW):
    with pytest.raises(tokens.TokenError) as error:
        tokens.account_of(plain, now)
    return error.value.rule


def test_the_text_of_a_token_is_kept_nowhere(account):
    token, plain = issue(account)
    kept = ServiceToken.objects.values().get()
    assert plain not in str(kept)
    assert token.digest == tokens.digest_of(plain)
    assert plain.startswith(token.prefix)
    assert len(plain) > 40


def test_a_live_token_names_its_account_in_one_query(account, count_queries):
    _token, plain = issue(account)
    with count_queries() as queries:
        found = tokens.account_of(plain, NOW)
        assert found.institution.code == "PN"
    assert len(queries) == 1
    assert found == account
    assert found.token.may_write


def test_each_state_of_a_token_is_refused_by_its_own_rule(account):
    token, plain = issue(account, expires_at=NOW + timedelta(days=1))
    assert refusal("tab_of-nobody") == "unknown_token"
    assert refusal(plain + "x") == "unknown_token"
    assert refusal(plain, NOW + timedelta(days=1)) == "expired_token"
    actions.set_active(by=None, user=account, is_active=False)
    assert refusal(plain) == "inactive_account"
    tokens.revoke(by=None, token=token, now=NOW)
    assert refusal(plain) == "revoked_token"


def test_a_revoked_token_keeps_the_moment_of_its_first_revocation(account):
    token, _plain = issue(account)
    tokens.revoke(by=None, token=token, now=NOW)
    assert tokens.revoke(by=None, token=token, now=LATER).revoked_at == NOW


@pytest.mark.parametrize("days", [0, -1, 401])
def test_a_token_ends_after_today_and_within_400_days(account, days):
    with pytest.raises(ValidationError) as error:
        issue(account, expires_at=NOW + timedelta(days=days))
    assert "expires_at" in error.value.message_dict


def test_the_database_refuses_a_token_that_ends_before_it_begins(account):
    token, _plain = issue(account)
    with pytest.raises(IntegrityError, match="service_token_expires_later"), transaction.atomic():
        ServiceToken.objects.filter(pk=token.pk).update(expires_at=NOW - timedelta(days=1))


def test_a_person_has_no_token(country):
    with pytest.raises(ValidationError):
        issue(country.people[Role.VIEWER])


def test_only_an_integrator_of_its_own_institution_writes(country):
    reader = tokens.add_account(
        by=None, institution=country.institutions["PN"], username="reader", name="R", role=Role.VIEWER
    )
    _token, plain = issue(reader)
    assert not tokens.account_of(plain, NOW).token.may_write
    actions.grant_role(by=None, user=reader, role=Role.INTEGRATOR, unit=country.unit("EST-EC"))
    assert not tokens.account_of(plain, NOW).token.may_write, "the role is held in another institution"
    actions.grant_role(by=None, user=reader, role=Role.INTEGRATOR, unit=country.unit("PN-Z1"))
    assert tokens.account_of(plain, NOW).token.may_write


def test_last_use_is_written_once_a_minute(account, count_queries):
    _token, plain = issue(account)
    writes = []
    for seconds in (0, 1, 30, 59, 61, 62):
        now = NOW + timedelta(seconds=seconds)
        token = tokens.account_of(plain, now).token
        with count_queries() as queries:
            tokens.touch(token, now)
        writes.append(len(queries))
    assert writes == [1, 0, 0, 0, 1, 0]
    assert ServiceToken.objects.get().last_used_at == NOW + timedelta(seconds=61)


def test_a_service_account_signs_in_with_no_password(account):
    assert not account.has_usable_password()


def test_who_may_not_appoint_an_integrator_issues_and_revokes_no_token_of_one(country, account):
    helper = User.objects.create(username="helper", password="!")
    actions.grant_role(by=None, user=helper, role=Role.UNIT_ADMINISTRATOR, unit=country.unit("PN-EC"))
    token, _plain = issue(account)
    with pytest.raises(ValidationError):
        issue(account, by=helper)
    with pytest.raises(ValidationError):
        tokens.revoke(by=helper, token=token, now=NOW)
    with pytest.raises(ValidationError):
        tokens.add_account(
            by=helper, institution=country.institutions["PN"], username="x", name="X", role=Role.INTEGRATOR
        )
    assert not User.objects.filter(username="x").exists()


def test_history_says_who_issued_and_revoked_and_not_the_digest(country, account):
    token, _plain = issue(account)
    tokens.revoke(by=None, token=token, now=NOW, reason="left in a file")
    events = token.events.order_by("pgh_id")
    assert [event.pgh_label for event in events] == ["insert", "update"]
    assert events[1].pgh_context.metadata["reason"] == "left in a file"
    assert not hasattr(events[0], "digest")
