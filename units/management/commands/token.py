"""manage.py token USERNAME: a token of a service account, for a first try or an installation without a browser."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from units import tokens
from units.access import root_of
from units.actions import grant_role
from units.models import Institution, User
from units.permissions import Role


class Command(BaseCommand):
    help = (
        "Writes a new token to standard output, where it is shown this once. With --institution the service account "
        "is added where it is not there yet. The same is done on the page of service accounts."
    )

    def add_arguments(self, parser):
        parser.add_argument("username", help="the service account")
        parser.add_argument("--institution", metavar="CODE", help="add the account to this institution")
        parser.add_argument(
            "--role",
            action="append",
            choices=[Role.INTEGRATOR, Role.ANALYST, Role.VIEWER],
            help="of a new account, in its institution's head unit; may be said again (integrator where nothing is)",
        )
        parser.add_argument("--days", type=int, default=90, help="the token ends after so many days (90)")
        parser.add_argument("--name", default="command", help="what the token is for")

    def handle(self, *, username, institution, role, days, name, **options):
        now = timezone.now()
        try:
            account = self._account(username, institution, role or [Role.INTEGRATOR])
            _token, plain = tokens.issue(
                by=None, account=account, name=name, expires_at=now + timedelta(days=days), now=now
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(plain)

    def _account(self, username, code, roles):
        found = User.objects.filter(username=username).first()
        if found is not None:
            return found
        institution = Institution.objects.filter(code=code).first() if code else None
        if institution is None:
            raise CommandError(_("There is no account of this name; to add it, name its institution by a code."))
        first, *others = roles
        account = tokens.add_account(by=None, institution=institution, username=username, name=username, role=first)
        for role in others:
            grant_role(by=None, user=account, role=role, unit=root_of(institution))
        return account
