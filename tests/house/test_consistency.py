"""House rules that a linter does not know."""

import ast
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

from scorecard.engines import ROOT

APPS = ("units", "indicators", "incidents", "scorecard")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
# Arithmetic: no Django, no clock, so that anyone can run it on arrays and get the same answer for ever.
PURE = ("cards", "codes", "formula", "months", "rollup", "scoring", "slow", "todate", "year")
# Where a request, a command or a task begins, and so where the clock may be read.
EDGES = {"views", "letter_views", "api", "commands", "tasks", "supervisor", "engines", "migrations", "live"}


def name_of(path):
    return str(path.relative_to(ROOT))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def tracked_files():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parent.name == "indicators" and p.stem in PURE], ids=name_of)
def test_arithmetic_imports_no_django(path):
    assert not [name for name in imports_of(path) if name.split(".")[0] == "django" or name.endswith(".models")]


def test_no_signals_of_models():
    assert not [name_of(path) for path in SOURCES if "django.db.models.signals" in imports_of(path)]


def test_only_the_wrapper_asks_guardian():
    asking = {name_of(path) for path in SOURCES for name in imports_of(path) if name.split(".")[0] == "guardian"}
    assert {path for path in asking if "/migrations/" not in path} <= {"units/permissions.py", "units/models.py"}


def test_the_domain_reads_no_clock():
    clock = re.compile(r"\b(timezone\.now|timezone\.localdate|date\.today|datetime\.now|time\.time)\(")
    inside = [path for path in SOURCES if not EDGES & {path.stem, *path.relative_to(ROOT).parts}]
    assert not [name_of(path) for path in inside if clock.search(path.read_text())]


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_asks_no_other_site_and_holds_no_script(path):
    text = path.read_text()
    assert not re.search(r"""(src|href|action|url\()\s*=?\s*["']?(https?:)?//""", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "the security policy of content forbids inline scripts"
    assert not re.search(r"\son[a-z]+\s*=", text), "the security policy of content forbids inline handlers"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_whole_page_extends_the_base(path):
    text = path.read_text()
    # An error in the base cannot stand on the base; a page's pieces are what is swapped into one that is open.
    is_own = path.name in {"base.html", "400.html", "500.html", "pieces.html"}
    assert is_own or "<html" not in text
    assert is_own or ("{% block " not in text or "{% extends" in text)


def test_no_file_names_a_machines_directory_or_a_registry():
    words = ["/" + "root/", "/" + "work/", "py" + "pi.org", "python" + "hosted", "npm" + "js.org"]
    found = [
        f"{name_of(path)}: {word}"
        for path in tracked_files()
        if path.suffix not in {".png", ".ico", ".woff2", ".gz", ".xlsx", ".mo"}
        for word in words
        if word in path.read_text(errors="replace")
    ]
    assert found == []


def test_no_state_and_no_compiled_file_is_tracked():
    assert not [p for p in tracked_files() if p.suffix in {".mo", ".pyc", ".log"} or "var" in p.relative_to(ROOT).parts]


@pytest.mark.parametrize("name", ["base", "dev", "bench"])
def test_requirements_are_pinned_with_hashes_and_name_no_address(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert not re.search(r"https?:|^-|file:", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert entries
    assert not [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry]


def test_every_dependency_says_why():
    lines = re.findall(
        r'^    "([a-z][^"]*)",(.*)$', (ROOT / "pyproject.toml").read_text().split("[tool.")[0], re.MULTILINE
    )
    assert len(lines) > 20
    assert not [name for name, rest in lines if "# " not in rest]


def test_tasks_named_in_settings_exist():
    from scorecard.celery import app

    app.loader.import_default_modules()
    named = {settings.STALE_TASK, *(entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values())}
    assert named <= set(app.tasks)


def test_every_task_is_scheduled_or_sent_by_somebody():
    from scorecard.celery import app

    app.loader.import_default_modules()
    apps = ("units", "indicators", "incidents", "scorecard")
    ours = {name for name in app.tasks if name.split(".")[0] in apps}
    sources = [path for one in apps for path in (ROOT / one).rglob("*.py") if path.name != "tasks.py"]
    sources.remove(ROOT / "scorecard/settings.py")
    sent = {name for path in sources for name in re.findall(r'"([a-z.]+\.tasks\.[a-z_]+)"', path.read_text())}
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert len(ours) > 5
    assert ours - sent - scheduled - {settings.STALE_TASK} == set()


def test_the_operators_page_names_every_process_and_how_often_marks_are_swept():
    page = (ROOT / "docs/operations.md").read_text()
    processes = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    assert set(processes) == {"web", "live", "worker", "beat"}
    for command in processes.values():
        assert f"`{command.split(' --')[0]}" in page
    sweep = next(e for e in settings.CELERY_BEAT_SCHEDULE.values() if e["task"] == "scorecard.tasks.sweep")
    assert sweep["schedule"] == 10
    assert "every ten seconds" in " ".join(page.split())


def test_production_settings_pass_djangos_own_check_for_deployment():
    production = {
        "HTTPS": "on",
        "HSTS_SECONDS": "3600",
        "HSTS_SUBDOMAINS": "on",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST",
    }
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"} | production
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
