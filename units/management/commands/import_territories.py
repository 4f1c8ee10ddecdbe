"""manage.py import_territories FILE: territories by code, with names, levels, parents and boundaries."""

from django.utils.translation import gettext as _

from units import imports, places
from units.cells import CellError, day
from units.importing import CommandError, ImportCommand


class Command(ImportCommand):
    help = (
        "Takes territories in from GeoJSON (with boundaries) or CSV/XLSX (codes, names, points). Keyed by code: "
        "the same file twice changes nothing. Parents follow from the code (09D07C07S02) or columns of levels above."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--level", choices=places.LEVELS, help="what the rows are, where they do not say")
        parser.add_argument("--valid-from", metavar="DAY", help="from when boundaries hold; else in place of today's")
        parser.add_argument("--source", help="source of the boundaries: the file's name by default")
        parser.add_argument("--schematic", action="store_true", help="boundaries are approximate")
        parser.add_argument("--nation", default="", help="name of the nation, where it is not there yet")

    def take_in(self, path, options):
        level = places.LEVELS.index(options["level"]) if options["level"] else None
        columns, entries, refused = imports.read_territories(path, level=level)
        report = imports.load_territories(
            by=self.person(options),
            entries=entries,
            refused=refused,
            source=options["source"] or path.name,
            is_schematic=options["schematic"] or "approx" in path.name.lower(),
            valid_from=_day(options["valid_from"]),
            nation=options["nation"],
            accept_valid=options["accept_valid"],
            dry_run=options["dry_run"],
            progress=self.progress(_("boundaries")),
            reason=f"import_territories {path.name}",
        )
        for line in report.mended:
            self.stderr.write(line)
        self.tell_refused(path, columns, report.refused, options)
        message = _(
            "Territories: %(created)d new, %(changed)d changed, %(unchanged)d unchanged. "
            "Boundaries: %(boundaries_created)d new, %(boundaries_changed)d replaced."
        )
        self.stdout.write(message % vars(report))
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))


def _day(given):
    try:
        return day(given) if given else None
    except CellError as error:
        raise CommandError(_('"%(given)s" is not a day: write it like 2023-05-17.') % {"given": given}) from error
