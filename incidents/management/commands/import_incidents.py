"""import_incidents FILE --layout mdi-homicides --source MDI: a published file, and the figures that follow from it."""

import argparse
import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from incidents import actions, layout, rules
from incidents.accounts import PublishError
from incidents.layout import LayoutError
from indicators.months import add_months, parse_month
from units.files import Columns, FileError
from units.models import Institution, User
from units.refusals import write_refused

SHOWN = 20  # of the refused rows and of the revisions; all of them are in the file, or in the publication's report


def period(text):
    """--covers 2023-01:2023-12, both months included."""
    first, _colon, last = text.partition(":")
    try:
        start, end = parse_month(first), parse_month(last or first)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if end < start:
        raise argparse.ArgumentTypeError(text)
    return start, add_months(end, 1)


class Command(BaseCommand):
    help = "Import a published file of incidents, revise what it revises, and count the event indicators again."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--layout", required=True, choices=layout.names())
        parser.add_argument("--source", required=True, help="Code of the institution that publishes the file.")
        parser.add_argument("--by", default="", help="User name of the person who imports; kept with what is written.")
        parser.add_argument("--covers", type=period, help="Months that the file covers, as 2023-01:2023-12.")
        parser.add_argument(
            "--accept-valid", action="store_true", help="Take the good rows; write the others to a file."
        )
        parser.add_argument("--accept-removals", action="store_true", help="Let the file empty a month of incidents.")
        parser.add_argument("--refused", type=Path, help="Where the refused rows go; var/refused/ by default.")
        parser.add_argument("--simulated", action="store_true", help="Mark what is written as simulated.")
        parser.add_argument("--dry-run", action="store_true", help="Report, and write nothing.")
        parser.add_argument("--language", choices=["es", "en"], default=None, help="Language of the report.")

    def handle(self, **options):
        with translation.override(options["language"] or settings.LANGUAGE_CODE):
            self._import(options)

    def _import(self, options):
        started = self.at = time.monotonic()
        source = self._found(Institution, "code", options["source"], _("There is no institution %s."))
        by = self._found(User, "username", options["by"], _("There is no user %s.")) if options["by"] else None
        now = timezone.now()
        try:
            outcome = actions.import_file(
                path=options["file"], layout_name=options["layout"], as_of=timezone.localdate(now), now=now, by=by,
                source=source, covers=options["covers"], accept_valid=options["accept_valid"],
                accept_removals=options["accept_removals"], is_simulated=options["simulated"],
                dry_run=options["dry_run"], progress=self._progress,
            )  # fmt: skip
        except FileError as error:
            raise CommandError(str(error)) from error
        except LayoutError as error:
            details = {"layout": options["layout"], "missing": ", ".join(error.missing), "seen": ", ".join(error.seen)}
            raise CommandError(rules.FILE["layout"] % details) from error
        except PublishError as error:
            raise CommandError(rules.FILE[error.rule] % error.details) from error
        self._tell(outcome, options)
        self.stdout.write(_("%.1f s") % (time.monotonic() - started))
        if not outcome.is_taken:
            raise CommandError(_("Nothing was written. --accept-valid takes the good rows."))

    def _found(self, model, field, value, words):
        found = model.objects.filter(**{field: value}).first()
        if found is None:
            raise CommandError(words % value)
        return found

    def _progress(self, stage, rows):
        words = {
            "reading": _("Reading the file"),
            "matching": _("Matching %d rows with what is stored"),
            "writing": _("Writing what differs of %d rows"),
            "counting": _("Counting the months again"),
        }[stage]
        self.stderr.write(words % rows if "%d" in words else words)

    def _tell(self, outcome, options):
        report, write = outcome.report, self.stdout.write
        rows = report["rows"]
        write(_("Rows read: %(read)d; taken: %(taken)d; refused: %(refused)d; empty: %(blank)d") % rows)
        write(_("Rows that repeat an earlier one in every column (counted, none dropped): %(repeated)d") % rows)
        headings = report["file"]
        for written, meant in headings.get("guessed", {}).items():
            write(_('Column "%(written)s" read as %(meant)s') % {"written": written, "meant": meant})
        if headings.get("unread"):
            write(_("Columns not read: %s") % ", ".join(headings["unread"]))
        self._tell_rules(_("Mended, rows by rule:"), report["mended"], rules.MENDED)
        self._tell_rules(_("Refused, rows by rule:"), report["refused"], rules.REFUSED)
        for refusal in outcome.refused[:SHOWN]:
            self.stderr.write(str(refusal))
        if outcome.refused and options["accept_valid"] and not options["dry_run"]:
            write(_("Refused rows with their reasons: %s") % self._write_refused(outcome, options))
        if outcome.is_taken:
            self._tell_outcome(report, options)

    def _tell_rules(self, title, counts, words):
        if counts:
            self.stdout.write(title)
        for rule, count in counts.items():
            self.stdout.write(f"  {count:>8}  {words[rule]} [{rule}]")

    def _tell_outcome(self, report, options):
        write = self.stdout.write
        write(_("Months covered: %(from)s to %(to)s") % dict(zip(("from", "to"), report["period"], strict=True)))
        counts = report["outcome"]
        write(
            _("Incidents: %(added)d added, %(changed)d changed, %(removed)d removed, %(unchanged)d as before") % counts
        )
        revised = report.get("revised", {"labels": {}, "changed": [], "added": [], "removed": []})
        for label, count in sorted(revised["labels"].items()):
            write(f"  {count:>8}  {rules.REVISED[label]} [{label}]")
        for kind in ("added", "removed"):
            for row in revised[kind][:SHOWN]:
                write(f"  {rules.REVISED[kind]}: {row['date']} {row['time']} {row['place']} {row['category']}")
        for change in revised["changed"][:SHOWN]:
            facts = "; ".join(
                f"{fact}: {_shown(was)} > {_shown(says)}" for fact, (was, says) in change["facts"].items()
            )
            write(f"  {rules.REVISED[change['label']]}: {change['id']} {facts}")
        write(_("Figures: %(created)d new, %(changed)d changed, %(unchanged)d as before") % report["figures"])
        for indicator, count in report["without_unit"].items():
            write(
                _("%(count)d events of %(indicator)s lie where no unit answers for it.")
                % {"count": count, "indicator": indicator}
            )
        if options["dry_run"]:
            write(_("A trial: nothing was written."))

    def _write_refused(self, outcome, options):
        """The rows hold characteristics of persons: the file is for its owner's eyes alone."""
        path = options["refused"]
        if path is None:
            folder = Path(settings.VAR_DIR) / "refused"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{options['file'].stem}-{timezone.now():%Y%m%d-%H%M%S-%f}.csv"
        path.touch(mode=0o600)
        table = outcome.table
        wanted = {refusal.row for refusal in outcome.refused}
        columns = Columns(
            table.name, table.header, numbers=sorted(wanted), rows=[table.rows[n - 1] for n in sorted(wanted)]
        )
        write_refused(path, columns, outcome.refused)
        return path


def _shown(value):
    if isinstance(value, dict):
        return " ".join(str(part) for part in (value["place"], value["point"]) if part)
    return "-" if value in (None, "") else str(value)
