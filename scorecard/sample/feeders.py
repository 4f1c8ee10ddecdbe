"""Whom the demo's simulated feed speaks as: a service account an institution, its token in a private file in var/."""

from datetime import timedelta

from scorecard import engines
from scorecard.sample.institutions import EMERGENCY, POLICE
from scorecard.sample.state import is_loaded
from units import tokens
from units.models import Institution, User
from units.permissions import Role

NAME = "simulated feed"
LASTS = timedelta(days=30)
REASON = "demo"


def make_ready(now):
    """An account and a token that still opens for each institution that feeds the sample; nothing without a sample."""
    if not is_loaded():
        return
    for institution in Institution.objects.filter(code__in=(EMERGENCY, POLICE)):
        path = engines.var_dir() / "run" / "feeds" / f"{institution.code}.token"
        account = _account(institution)
        if not (path.exists() and _opens(path.read_text(), account, now)):
            for token in account.tokens.filter(name=NAME, revoked_at=None):
                tokens.revoke(by=None, token=token, now=now, reason=REASON)
            expires = now + LASTS
            _token, plain = tokens.issue(
                by=None, account=account, name=NAME, expires_at=expires, now=now, reason=REASON
            )
            engines.write_private(path, plain)


def _account(institution):
    username = f"feed.{institution.code.lower()}"
    return User.objects.filter(username=username).first() or tokens.add_account(
        by=None, institution=institution, username=username, name="Alimentación simulada", role=Role.INTEGRATOR,
        reason=REASON,
    )  # fmt: skip


def _opens(plain, account, now):
    try:
        return tokens.account_of(plain, now + timedelta(days=1)) == account
    except tokens.TokenError:
        return False
