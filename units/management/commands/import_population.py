"""manage.py import_population FILE: people by territory and year."""

from django.utils.translation import gettext as _

from units import populations
from units.importing import CommandError, ImportCommand


class Command(ImportCommand):
    help = (
        "Takes population in from CSV or XLSX (territory code, year, people). Keyed by territory and year: the same "
        "file twice changes nothing. Rates use that year's people: refresh the cards afterwards."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=HEADING",
            help="where a heading differs: people=population_2020",
        )
        parser.add_argument("--year", type=int, help="the year of all rows, where the file has no column for it")
        parser.add_argument("--territory", default="", metavar="CODE", help="the territory of all rows")
        parser.add_argument("--source", help="source of the figures: the file's name by default")
        parser.add_argument(
            "--cantons",
            metavar="FILE",
            help="codes are of cantons: districts of each, by columns district_code and cantons; "
            "several districts of a canton share its people by their subcircuits",
        )
        parser.add_argument("--sum-up", action="store_true", help="also write the sums of all territories above")
        parser.add_argument("--years", metavar="FROM-TO", help="write these years too, with the nation's growth")

    def take_in(self, path, options):
        years = _years(options["years"])
        columns, rows, refused = populations.read(
            path,
            columns=_mapping(options["column"]),
            territory=options["territory"].upper(),
            year=options["year"],
            source=options["source"] or path.name,
        )
        notes = []
        if options["cantons"]:
            rows, more, notes = populations.through_cantons(rows, populations.canton_districts(options["cantons"]))
            refused += more
        if years:
            rows = populations.spread_over_years(rows, years)
        if options["sum_up"]:
            rows = populations.summed_up(rows)
        report = populations.load(
            rows=rows, refused=refused, accept_valid=options["accept_valid"], dry_run=options["dry_run"]
        )
        for note in notes:
            self.stderr.write(note)
        self.tell_refused(path, columns, report.refused, options)
        message = _("Population: %(created)d new, %(changed)d changed, %(unchanged)d unchanged.")
        self.stdout.write(message % vars(report))
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
        elif report.changed + report.created:
            self.stdout.write(_("Rates change with it: run manage.py refresh --all."))


def _mapping(pairs):
    found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    unknown = set(found) - {"code", "year", "people", "source"} or {pair for pair in pairs if "=" not in pair}
    if unknown:
        message = _("--column takes code, year, people or source, as in people=population_2020; not %(given)s.")
        raise CommandError(message % {"given": ", ".join(sorted(unknown))})
    return found


def _years(given):
    if not given:
        return []
    first, _dash, last = given.partition("-")
    try:
        return list(range(int(first), int(last or first) + 1))
    except ValueError as error:
        raise CommandError(_('"%(given)s" is no span of years: write it like 2014-2023.') % {"given": given}) from error
