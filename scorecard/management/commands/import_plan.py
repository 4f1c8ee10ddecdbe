"""manage.py import_plan FILE.xlsx: a plan with its sheets and targets; --template and --export write one."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scorecard import plan_export, plan_import, plan_workbook
from scorecard.models import Plan
from units.files import FileError
from units.importing import SHOWN
from units.models import User


class Command(BaseCommand):
    help = "Takes a plan in from its workbook, whole or not at all, into a draft. The same file twice changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--by", metavar="USERNAME", help="the person to whom the history ascribes the change")
        parser.add_argument("--template", action="store_true", help="write the empty workbook to FILE instead")
        parser.add_argument("--export", metavar="INSTITUTION:YEAR", help="write that plan to FILE instead")

    def handle(self, *args, **options):
        path = Path(options["file"])
        if options["template"] or options["export"]:
            path.write_bytes(plan_workbook.template() if options["template"] else _exported(options["export"]))
            self.stdout.write(str(path))
            return
        try:
            taken = plan_import.take_in(
                by=_person(options["by"]), path=path, name=path.name, now=timezone.now(), dry_run=options["dry_run"]
            )
        except FileError as error:
            raise CommandError(str(error)) from error
        for refusal in taken.refused[:SHOWN]:
            self.stderr.write(str(refusal))
        if taken.refused:
            n = len(taken.refused)
            message = ngettext(
                "%(n)d row was refused: nothing was loaded.", "%(n)d rows were refused: nothing was loaded.", n
            )
            raise CommandError(message % {"n": n})
        said = ", ".join(f"{words} {number}" for words, number in taken.counts() if number) or _("nothing changed")
        self.stdout.write(f"{taken.title}: {said}")
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))


def _person(name):
    if not name:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(_("There is no person with the username %(name)s.") % {"name": name})
    return user


def _exported(asked):
    code, _colon, year = asked.partition(":")
    found = Plan.objects.filter(institution__code=code.upper(), year=year) if year.isdigit() else Plan.objects.none()
    plan = found.select_related("institution").first()
    if plan is None:
        raise CommandError(_("There is no plan %(asked)s: write it as PN:2023.") % {"asked": asked})
    return plan_export.workbook_of(plan)
