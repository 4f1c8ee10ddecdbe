"""Tokens of service accounts: shown once, kept as a digest, bound to one institution, ended by time or by hand."""

import hashlib
import secrets
from datetime import timedelta
from functools import cache

from django.contrib.auth.models import Permission as Permission_
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from units import prepared
from units.access import root_of
from units.actions import grant_role, recorded
from units.models import Institution, ServiceToken, Unit, UnitUserObjectPermission, User
from units.people import why_not_change
from units.permissions import Permission, roles_with

MARK = "tab_"  # so that a token left in a file is recognised for what it is
SHOWN = len(MARK) + 6  # characters by which its holder tells one from another
LONGEST = timedelta(days=400)
TOUCH_EVERY = timedelta(minutes=1)


class TokenError(Exception):
    """The token opens nothing: `rule` says why."""

    def __init__(self, rule):
        self.rule = rule
        super().__init__(rule)

    @property
    def message(self):
        return {
            "unknown_token": _("This token is not known."),
            "revoked_token": _("This token has been revoked."),
            "expired_token": _("This token has expired."),
            "inactive_account": _("The account of this token is inactive."),
        }[self.rule]


def digest_of(plain):
    """A token is 32 random bytes, so that one round of SHA-256 keeps it as well as a slow hash."""
    return hashlib.sha256(plain.encode()).hexdigest()


def add_account(*, by, institution, username, name, role, reason=""):
    """A service account of one institution, which signs in with a token alone. It holds its role in the root unit."""
    with recorded(by=by, reason=reason):
        account = User(username=username, first_name=name, institution=institution)
        account.set_unusable_password()
        account.full_clean(exclude=["password"])
        account.save()
        grant_role(by=by, user=account, role=role, unit=root_of(institution), reason=reason)
    return account


def issue(*, by, account, name, expires_at, now, reason=""):
    """A new token and its plain text, which is kept nowhere: (token, plain)."""
    if account.institution_id is None:
        raise ValidationError(_("Only a service account, which speaks for one institution, has tokens."))
    if not now < expires_at <= now + LONGEST:
        raise ValidationError(
            {"expires_at": _("A token ends after today and within %(days)s days.") % {"days": LONGEST.days}}
        )
    plain = MARK + secrets.token_urlsafe(32)
    _must_be_allowed(by, account)
    with recorded(by=by, reason=reason):
        token = ServiceToken(
            account=account,
            name=name,
            digest=digest_of(plain),
            prefix=plain[:SHOWN],
            created_at=now,
            created_by=by,
            expires_at=expires_at,
        )
        token.full_clean()
        token.save()
    return token, plain


def revoke(*, by, token, now, reason=""):
    """From this moment the token opens nothing. A revoked one stays revoked."""
    _must_be_allowed(by, token.account)
    with recorded(by=by, reason=reason):
        ServiceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    token.refresh_from_db()
    return token


def _must_be_allowed(by, account):
    """A token does all that its account may: nobody issues one for more than they could appoint."""
    if problem := why_not_change(by=by, user=account):
        raise ValidationError(problem)


def _columns(model, alias):
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


@cache
def _standing():
    """SQL of a token with its account, the account's institution, and whether the account may write."""
    tables = {"token": ServiceToken, "account": User, "institution": Institution, "grants": UnitUserObjectPermission}
    named = {name: model._meta.db_table for name, model in tables.items()}
    columns = ", ".join(_columns(tables[name], name) for name in ("token", "account", "institution"))
    return f"""
SELECT {columns}, EXISTS (
    SELECT FROM {named["grants"]} grants JOIN {Permission_._meta.db_table} p ON p.id = grants.permission_id
        JOIN {Unit._meta.db_table} u ON u.id = grants.content_object_id
    WHERE grants.user_id = account.id AND u.institution_id = account.institution_id AND p.codename = ANY(%(roles)s))
FROM {named["token"]} token JOIN {named["account"]} account ON account.id = token.account_id
    JOIN {named["institution"]} institution ON institution.id = account.institution_id
WHERE token.digest = %(digest)s"""


def _read(digest):
    """The token with its account and institution, as of now; None where there is none. One prepared query."""
    row = prepared.row(_standing(), {"digest": digest, "roles": roles_with(Permission.INTEGRATE)})
    if row is None:
        return None
    found, at = [], 0
    for model in (ServiceToken, User, Institution):
        names = [field.attname for field in model._meta.concrete_fields]
        found.append(model.from_db(connection.alias, names, row[at : at + len(names)]))
        at += len(names)
    token, account, account.institution = found
    token.account, token.may_write = account, row[at]
    return token


def account_of(plain, now):
    """The token's account, with the token as `token`; raises TokenError. One query.

    `token.may_write`: the account is Integrator in a unit of its own institution.
    """
    token = _read(digest_of(plain))
    if token is None:
        raise TokenError("unknown_token")
    if token.revoked_at is not None:
        raise TokenError("revoked_token")
    if token.expires_at <= now:
        raise TokenError("expired_token")
    if not token.account.is_active:
        raise TokenError("inactive_account")
    token.account.token = token
    return token.account


def touch(token, now):
    """When the token was last used, to the minute: a busy feed does not write a row a request."""
    if token.last_used_at is None or token.last_used_at < now - TOUCH_EVERY:
        is_old = Q(last_used_at=None) | Q(last_used_at__lt=now - TOUCH_EVERY)
        ServiceToken.objects.filter(is_old, pk=token.pk).update(last_used_at=now)


def state_of(token, now):
    """revoked, expired or live."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "live"
