"""The sample's accounts: who they are, what they may do, and the one password that they share on this machine.

The password is made up at random where a sample is loaded and kept in var/, readable by its owner alone. Whoever has
not got that file cannot sign in, so a copy of the database opens nothing; accounts of a structure alone have none.
"""

import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from scorecard import engines
from scorecard.sample.institutions import PEOPLE
from units.models import User
from units.people import held_by

FILE = "demo_password"
# One account for each role and each level that has a page of its own, in the order in which they are shown.
SHOWN = (
    "ministra", "comandante.general", "jefe.zona8", "distrito.nueva.prosperina", "comandante.circuito", "aprobador",
    "analista", "observer", "auditor", "integrador", "administrador.zona8", "administrador",
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    username: str
    language: str
    roles: list  # of (role, unit), highest unit first


def password():
    """The password of this machine's sample; made where there is none yet."""
    path = engines.var_dir() / FILE
    if not path.exists():
        engines.write_private(path, secrets.token_urlsafe(9))
    return path.read_text()


def password_hash():
    """A hash for all of the sample's accounts: one, as they share the password, and as each takes its time to make."""
    return make_password(password())


def people():
    return User.objects.filter(username__in=[one.username for one in PEOPLE])


def listed(every=False):
    """The accounts that are there, of those shown or of all: list of Account."""
    wanted = [one.username for one in PEOPLE] if every else SHOWN
    found = {user.username: user for user in people().filter(is_active=True)}
    held = held_by(found.values())
    users = [found[name] for name in wanted if name in found]
    return [Account(user.username, user.language, held.get(user.pk, [])) for user in users]


def can_sign_in():
    """Whether the password in var/ opens the accounts of this database."""
    path, user = engines.var_dir() / FILE, people().first()
    return bool(user) and path.exists() and check_password(path.read_text(), user.password)


def open_accounts():
    """Let the sample's people sign in with this machine's password. Returns how many."""
    return _set(password_hash())


def close_accounts():
    """Nobody of the sample can sign in any more."""
    return _set(make_password(None))


@transaction.atomic
def _set(hashed):
    return people().update(password=hashed)
