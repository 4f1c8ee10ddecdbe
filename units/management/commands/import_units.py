"""manage.py import_units FILE: units by code, with names, what they stand below and the territory that they cover."""

from django.utils.translation import gettext as _

from units import unit_imports
from units.cells import CellError, month
from units.importing import CommandError, ImportCommand


class Command(ImportCommand):
    help = (
        "Opens units from CSV or XLSX: columns code, name, parent, and where there are such name_en, territory, "
        "from_month. The head of an institution is opened with the institution. The same file twice changes nothing; "
        "names and places of units that are there are changed on their pages."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--from-month", metavar="YYYY-MM", help="from when, for rows that do not say")

    def take_in(self, path, options):
        try:
            from_month = month(options["from_month"]) if options["from_month"] else None
        except CellError as error:
            raise CommandError(unit_imports.RULES["not_a_month"]) from error
        columns, rows, refused = unit_imports.read(path, from_month=from_month)
        report = unit_imports.load(
            by=self.person(options),
            rows=rows,
            refused=refused,
            accept_valid=options["accept_valid"],
            dry_run=options["dry_run"],
            reason=f"import_units {path.name}",
        )
        self.tell_refused(path, columns, report.refused, options)
        self.stdout.write(_("Units: %(created)d new, %(unchanged)d unchanged.") % vars(report))
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
        elif report.created:
            self.stdout.write(_("Scorecards change with it: run manage.py refresh --all."))
