"""The real data that some tests read: ../shared/data beside the checkout, or the directory that TABLERO_DATA names.

Where nothing is said and nothing is there, those tests are skipped; what is named must be there.
"""

import os
from pathlib import Path

import pytest

from scorecard.engines import ROOT

NAMED = os.environ.get("TABLERO_DATA")
DATA = Path(NAMED).resolve() if NAMED else ROOT.parent / "shared" / "data"
ECUADOR = DATA / "ecuador"

if NAMED and not DATA.is_dir():
    raise pytest.UsageError(f"TABLERO_DATA names {NAMED}, and no such directory is there")


def needs(part):
    """A mark for tests that read this part of the data."""
    return pytest.mark.skipif(
        not NAMED and not (DATA / part).exists(), reason=f"no {part} in {DATA} (TABLERO_DATA names another directory)"
    )
