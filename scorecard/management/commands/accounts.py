"""manage.py accounts: who can try the sample country, with which password, and what each of them sees."""

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scorecard.sample import accounts
from units.models import User


class Command(BaseCommand):
    help = "List the sample country's accounts, one a role, and their password; let them in or shut them out."

    def add_arguments(self, parser):
        parser.add_argument("--all", action="store_true", help="every account of the sample")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--open", action="store_true", help="let them sign in with the password in var/")
        which.add_argument("--close", action="store_true", help="take their password away: nobody can sign in")

    def handle(self, *, open, close, **options):
        if open:
            self._tell_opened(accounts.open_accounts())
        if close:
            count = accounts.close_accounts()
            self.stdout.write(ngettext("%(n)d account closed.", "%(n)d accounts closed.", count) % {"n": count})
            return
        self._list(accounts.listed(every=options["all"]))

    def _tell_opened(self, count):
        self.stdout.write(ngettext("%(n)d account opened.", "%(n)d accounts opened.", count) % {"n": count})

    def _list(self, found):
        if not found:
            self.stdout.write(_("There are no accounts of the sample country here."))
            if not User.objects.exists():
                self.stdout.write(_("Nobody can sign in yet: manage.py open_country begins a country of your own."))
            return
        width = max(len(account.username) for account in found)
        for account in found:
            roles = "; ".join(f"{role.label}, {unit}" for role, unit in account.roles)
            self.stdout.write(f"  {account.username:<{width}}  {roles}")
        if accounts.can_sign_in():
            self.stdout.write(_("Password of all of them: %(password)s") % {"password": accounts.password()})
        else:
            self.stdout.write(_("They cannot sign in: manage.py accounts --open gives them a password."))
