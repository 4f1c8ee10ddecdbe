"""Real data is found where it is said to be; what is named and not there is an error, and no reason to skip."""

import os
import subprocess
import sys

from scorecard.engines import ROOT


def asked(**environment):
    argv = [sys.executable, "-c", "from tests import data; print(data.DATA, data.needs('other').args[0])"]
    given = {name: value for name, value in os.environ.items() if name != "TABLERO_DATA"} | environment
    return subprocess.run(argv, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def test_data_lies_beside_the_checkout_unless_another_directory_is_named(tmp_path):
    assert asked().stdout.split() == [str(ROOT.parent / "shared" / "data"), "True"]
    assert asked(TABLERO_DATA=str(tmp_path)).stdout.split() == [str(tmp_path), "False"]


def test_a_named_directory_that_is_not_there_is_an_error(tmp_path):
    told = asked(TABLERO_DATA=str(tmp_path / "missing"))
    assert told.returncode != 0
    assert "TABLERO_DATA names" in told.stderr
