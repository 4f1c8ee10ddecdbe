"""Translations are compiled by Babel, so that no machine needs gettext's own programs to run the site."""

import os

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from scorecard.engines import ROOT


def compile_all(root=ROOT / "locale"):
    """Every .po that is newer than its .mo. Returns what was compiled."""
    done = []
    for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parts[-3], abort_invalid=True)
        part = target.with_suffix(f".{os.getpid()}.mo")
        with part.open("wb") as file:
            write_mo(file, catalog)
        part.replace(target)
        done.append(target)
    return done


if __name__ == "__main__":
    compile_all()
