"""manage.py open_country NAME --administrator USERNAME: an empty database becomes a country that people can fill."""

import os

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from indicators import months
from scorecard import founding, supervisor
from units.people import password_path

YEARS = 10  # how far back figures may be loaded, where nothing else is said


class Command(BaseCommand):
    help = (
        "Begins a country: the State over the nation COUNTRY_CODE, the dictionary of events, and the first "
        "administrator, who chooses a password by the link that is printed. What is there already stays."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="of the country, as its pages show it")
        parser.add_argument("--administrator", required=True, metavar="USERNAME")
        parser.add_argument(
            "--since", metavar="YYYY-MM", help=f"first month with figures: {YEARS} years ago by default"
        )
        parser.add_argument("--site", default=_here(), help="address of the site, for the link")

    def handle(self, *, name, administrator, since, site, **options):
        try:
            from_month = months.parse_month(since) if since else _years_ago()
            person = founding.begin(name=name, username=administrator, from_month=from_month)
        except (ValueError, ValidationError) as error:
            raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error
        self.stdout.write(_("%(name)s is administered by %(person)s.") % {"name": name, "person": person.username})
        if person.has_usable_password():
            return
        self.stdout.write(_("Choose the password here, once:"))
        self.stdout.write(f"  {site.rstrip('/')}{password_path(person)}")


def _here():
    """Where the demo listens."""
    return supervisor.address(os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT") or 8000))


def _years_ago():
    return months.add_months(months.month_of(timezone.localdate()).replace(month=1), -12 * YEARS)
