"""What the import commands have in common: their options, their progress, and how they tell what was refused."""

import sys
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from units.files import FileError
from units.models import User
from units.refusals import write_refused

SHOWN = 20  # refusals printed; the file of refused rows has them all


class ImportCommand(BaseCommand):
    """A command that takes a file in: nothing where any row is refused, unless --accept-valid is given."""

    def add_arguments(self, parser):
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--accept-valid", action="store_true", help="take the good rows, write out the others")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--refused", metavar="FILE", help="file of refused rows: NAME.refused.csv by default")
        parser.add_argument("--by", metavar="USERNAME", help="the person to whom the history ascribes the change")

    def handle(self, *args, **options):
        for name in options["files"]:
            try:
                self.take_in(Path(name), options)
            except FileError as error:
                raise CommandError(str(error)) from error

    def person(self, options):
        """The person named by --by, or None."""
        name = options["by"]
        if not name:
            return None
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(_("There is no person with the username %(name)s.") % {"name": name})
        return user

    def tell_refused(self, path, columns, refused, options):
        """Print refusals; where good rows were accepted write the others to a file, else end in an error."""
        if not refused:
            return
        for refusal in refused[:SHOWN]:
            self.stderr.write(str(refusal))
        if len(refused) > SHOWN:
            more = len(refused) - SHOWN
            self.stderr.write(ngettext("... and %(n)d more", "... and %(n)d more", more) % {"n": more})
        figures = {"n": len(refused)}
        if not options["accept_valid"]:
            message = ngettext(
                "%(n)d row was refused: nothing was loaded. Mend it, or take the others with --accept-valid.",
                "%(n)d rows were refused: nothing was loaded. Mend them, or take the others with --accept-valid.",
                len(refused),
            )
            raise CommandError(message % figures)
        target = options["refused"] or f"{path.stem}.refused.csv"
        written = write_refused(target, columns, refused)
        message = ngettext(
            "%(n)d row was refused; it is in %(path)s with the reason.",
            "%(n)d rows were refused; they are in %(path)s with the reasons.",
            len(refused),
        )
        self.stderr.write(message % {**figures, "path": written})

    def progress(self, what):
        """A callable (done, total) that says at most twice a second how far it is; silent where nobody watches."""
        is_watched = sys.stderr.isatty()
        last = 0.0

        def tell(done, total):
            nonlocal last
            now = time.monotonic()
            if is_watched and (now - last > 0.5 or done == total):
                last = now
                self.stderr.write(f"\r{what} {done}/{total}", ending="\n" if done == total else "")

        return tell
