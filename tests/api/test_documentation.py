"""docs/api.md holds: its examples are run against the site, its tables name every rule there is."""

import json
import os
import re
import shutil
import subprocess

import pytest
from django.core.management import call_command

from incidents.dictionary import ensure
from incidents.feed import rules as of_events
from indicators.sent import rules as of_figures
from scorecard.engines import ROOT
from tests.factories import small_country
from units.tokens import TokenError

TEXT = (ROOT / "docs" / "api.md").read_text()
EXAMPLE = re.compile(r"```bash\n(.*?)```\n```json\n(.*?)```", re.DOTALL)
EXACT = {"result", "rule", "category", "external_id", "fate", "reason", "status", "row", "column", "numerator", "state"}
RAISED = re.compile(r"(?:Problem|NotSignedIn|Forbidden|TooManyRequests)\(\s*\"([a-z_]+)\"")


def table(name):
    """{rule: words} of the table under this mark."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", TEXT, re.DOTALL)[1]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", found, re.MULTILINE))


def words(*rules):
    """As the tables say them: in English, gaps shown as dots."""
    found = {name: str(text) for one in rules for name, text in one.items()}
    return {name: re.sub(r"%\(\w+\)s", "…", text) for name, text in found.items()}


def rules_raised():
    """Names of all rules by which a request is refused as a whole."""
    sources = [path for app in ("units", "indicators", "incidents", "scorecard") for path in (ROOT / app).rglob("*.py")]
    found = {name for path in sources for name in RAISED.findall(path.read_text())}
    found |= {"unknown_token", "revoked_token", "expired_token", "inactive_account"}
    found |= {"not_acceptable", "failed", "not_available"}
    return found


@pytest.mark.usefixtures("english")
def test_the_tables_name_every_rule_in_its_own_words():
    assert table("rules of events") == words(of_events.REFUSED)
    assert table("flags of events") == words(of_events.FLAGGED)
    assert table("rules of figures") == words(of_figures.REFUSED, of_figures.CONFLICT)
    assert table("rules of bodies") == words(of_figures.BODY, of_events.BODY)


@pytest.mark.usefixtures("english")
def test_the_table_of_requests_names_every_rule_that_is_raised():
    assert set(table("rules of requests")) == rules_raised()
    for rule in ("unknown_token", "revoked_token", "expired_token", "inactive_account"):
        assert table("rules of requests")[rule] == TokenError(rule).message


def agrees(said, got, key=""):
    """Everything that the text shows is in the answer; what it leaves empty or as a measure may be another value."""
    if isinstance(said, dict):
        return isinstance(got, dict) and all(name in got and agrees(said[name], got[name], name) for name in said)
    if isinstance(said, list):
        return len(said) <= len(got) and all(agrees(a, b) for a, b in zip(said, got, strict=False))
    return said == got if key in EXACT or isinstance(said, (bool, int)) else type(said) is type(got)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_every_example_does_what_the_text_says(live_server, tmp_path, capsys):
    country = small_country()
    ensure()
    call_command("token", "feed", institution="PN", role=["integrator", "analyst"])
    names = {
        "TABLERO": live_server.url, "TOKEN": capsys.readouterr().out.strip(), "INSTITUTION": "PN",
        "UNIT": "PN-01D01C01", "INDICATOR": "PN.PATROLS", "MONTH": f"{country.months[-1]:%Y-%m}", "PLACE": "01D01C01",
    }  # fmt: skip
    examples = EXAMPLE.findall(TEXT)
    assert len(examples) == TEXT.count("```bash") >= 10
    for script, answer in examples:
        ran = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script],
            check=False,
            env={"PATH": os.environ["PATH"], "no_proxy": "*", **names},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        got = json.loads(ran.stdout)
        assert agrees(json.loads(answer), got), f"{script}\n{ran.stdout}"
