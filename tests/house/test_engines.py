"""The embedded engines: started once, shared, gone afterwards, nothing forgotten."""

import contextlib
import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest
import redis

from scorecard import children, engines

COMMAND = """
import os, sys
from scorecard import engines
with engines.running():
    print(os.environ["DATABASE_URL"], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A directory of runtime state with nothing in it, and no engine named by the environment."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("BROKER_URL")
    return tmp_path


@pytest.fixture
def start_command(elsewhere):
    """Start a command that holds the engines until it is told to finish; none survives the test."""
    with contextlib.ExitStack() as stack:

        def start():
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND],
                cwd=engines.ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def finish(process):
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def engines_of(directory):
    """Programs that run on this directory; a server that ends is given the time to."""
    mine = [p for p in psutil.process_iter(["cmdline"]) if str(directory) in " ".join(p.info["cmdline"] or ())]
    return psutil.wait_procs(mine, timeout=10)[1]


def test_data_outlives_the_engines(elsewhere):
    for expected in (0, 1):
        with engines.running():
            with psycopg.connect(os.environ["DATABASE_URL"]) as database:
                database.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
                assert database.execute("SELECT count(*) FROM kept").fetchone() == (expected,)
                database.execute("INSERT INTO kept VALUES (1)")
            with redis.Redis.from_url(os.environ["BROKER_URL"]) as broker:
                assert broker.llen("kept") == expected
                broker.rpush("kept", 1)
        assert "DATABASE_URL" not in os.environ
    assert engines_of(elsewhere) == []


def test_two_commands_started_at_once_share_one_server(elsewhere, start_command):
    both = [start_command(), start_command()]
    first, second = [command.stdout.readline() for command in both]
    assert first == second != ""
    for command in both:
        command.stdin.write("\n")
        command.stdin.flush()
    assert [command.wait(60) for command in both] == [0, 0]
    assert engines_of(elsewhere) == []


def test_the_owner_waits_for_its_guest(elsewhere, start_command):
    owner = start_command()
    url = owner.stdout.readline().strip()
    guest = start_command()
    assert guest.stdout.readline().strip() == url
    owner.stdin.write("\n")
    owner.stdin.flush()
    while (elsewhere / "run" / "engines.json").exists():  # the owner is done with its own work
        assert owner.poll() is None
    with psycopg.connect(url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    finish(guest)
    assert owner.wait(60) == 0
    assert engines_of(elsewhere) == []


def test_a_killed_owner_leaves_no_server_and_the_next_command_starts_one(elsewhere, start_command):
    owner = start_command()
    assert owner.stdout.readline().startswith("postgresql://")
    owner.send_signal(signal.SIGKILL)
    owner.communicate(timeout=10)
    follower = start_command()
    assert follower.stdout.readline().startswith("postgresql://")
    finish(follower)
    assert engines_of(elsewhere) == []


def test_the_password_is_asked_for_and_private(elsewhere):
    with engines.running():
        url, broker = os.environ["DATABASE_URL"], os.environ["BROKER_URL"]
        password = (elsewhere / "run" / "engines.password").read_text()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.replace(password, "guess"))
        with redis.Redis.from_url(broker.replace(password, "guess")) as guess, pytest.raises(redis.AuthenticationError):
            guess.ping()
    assert all(path.stat().st_mode & 0o077 == 0 for path in (elsewhere / "run").glob("engines.*"))


def test_an_engine_named_by_the_environment_is_not_started(elsewhere, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    with engines.running():
        assert os.environ["DATABASE_URL"] == "postgresql://somewhere/else"
        assert os.environ["BROKER_URL"].startswith("redis://")
    assert not (elsewhere / "postgres").exists()


def test_a_directory_of_another_version_is_refused_in_words(elsewhere):
    (elsewhere / "postgres").mkdir()
    (elsewhere / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(engines.EngineError, match=r"made by PostgreSQL 12"), engines.running():
        pass
    assert engines_of(elsewhere) == []


def test_a_child_that_does_not_obey_is_killed_with_its_group(tmp_path):
    script = "trap '' TERM; sleep 1000 & echo $!; wait; wait"
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = children.spawn(["sh", "-c", script], log=file)
    while not (line := log.read_text()).endswith("\n"):
        assert process.poll() is None
    children.stop(process, grace=0.2)
    assert process.returncode == -signal.SIGKILL
    assert psutil.wait_procs([psutil.Process(int(line))] if psutil.pid_exists(int(line)) else [], timeout=5)[1] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has an identity to give up")
def test_who_gives_up_root_still_passes_closed_directories_and_no_more(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "program").write_text("#!/bin/sh\nid -u")
    (closed / "program").chmod(0o755)
    log = tmp_path / "log"
    script = f"test -x {closed}/program && {closed}/program && ! chown 0 {log}"
    with log.open("wb") as file:
        code = children.spawn(["sh", "-c", script], log=file, drop_root=True).wait()
    assert code == 0, log.read_text()
    assert log.read_text().startswith(f"{children.nobody()[0]}\n")
