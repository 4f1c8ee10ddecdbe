#!/usr/bin/env python
"""Runs a management command, with the embedded engines for its duration where it needs a database and none is given."""

import os
import sys

# Commands that ask nothing of a database, or start the engines themselves.
WITHOUT_ENGINES = {
    "", "help", "--help", "-h", "--version", "version", "demo", "check", "collectstatic", "compilemessages",
    "makemessages", "findstatic", "diffsettings", "startapp", "simulate_feed",
}  # fmt: skip


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scorecard.settings")
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    is_given = os.environ.get("DATABASE_URL") and os.environ.get("BROKER_URL")
    if command in WITHOUT_ENGINES or is_given or {"--help", "-h"} & set(sys.argv):
        execute_from_command_line(sys.argv)
        return
    from scorecard import engines

    with engines.running():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
