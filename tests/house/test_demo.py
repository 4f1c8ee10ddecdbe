"""The demo: one command up, one signal down, nothing left, everything kept."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys

import psutil
import psycopg
import pytest

from scorecard import engines, supervisor
from tests.house.test_engines import engines_of

pytestmark = pytest.mark.xdist_group("serial")  # each starts six processes


class Demo:
    """`manage.py demo` on an empty directory, without the sample."""

    def __init__(self, directory, port):
        kept = {name: value for name, value in os.environ.items() if name not in engines.VARIABLES.values()}
        self.directory, self.port = directory, port
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--no-sample"],
            cwd=engines.ROOT,
            env={**kept, "VAR_DIR": str(directory), "PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def until(self, text):
        """What it says up to and with the line that holds `text`."""
        said = ""
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        raise AssertionError(f"it ended before saying {text!r}: {said}")

    def family(self):
        return [self.process, *psutil.Process(self.process.pid).children(recursive=True)]

    def ends_with(self, number, *, group=False):
        """Send a signal, wait; what is left of the family afterwards."""
        family = self.family()
        assert len(family) >= 6  # itself, two engines, site, worker, beat, and their own children
        (os.killpg if group else os.kill)(self.process.pid, number)
        said, _ = self.process.communicate(timeout=60)
        return said, psutil.wait_procs(family[1:], timeout=20)[1]


@pytest.fixture
def demo(tmp_path):
    started = []

    def start(port=None):
        started.append(Demo(tmp_path, port or engines.free_port()))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
        one.process.wait(60)
        one.process.stdout.close()


def answer(port, path="/accounts/login/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_second_run_keeps_the_data_and_sigterm_and_ctrl_c_leave_no_process(demo, tmp_path):
    first = demo()
    said = first.until("Stop: Ctrl-C")
    assert f"http://127.0.0.1:{first.port}/" in said
    assert "Nobody can sign in yet: manage.py open_country" in said  # in the terminal's one language
    assert answer(first.port) == 200
    with psycopg.connect(engines.announcement(tmp_path)["database"]) as database:
        database.execute("CREATE TABLE kept AS SELECT 1 AS n")
    _, left = first.ends_with(signal.SIGTERM)
    assert left == []
    assert first.process.returncode == 0

    second = demo()
    second.until("Stop: Ctrl-C")
    with psycopg.connect(engines.announcement(tmp_path)["database"]) as database:
        assert database.execute("SELECT n FROM kept").fetchone() == (1,)
    _, left = second.ends_with(signal.SIGINT, group=True)
    assert left == []
    assert engines_of(tmp_path) == []


def test_a_program_that_dies_is_started_again_and_a_killed_supervisor_leaves_no_process(demo, tmp_path):
    one = demo()
    one.until("Stop: Ctrl-C")
    servers = [p for p in one.family()[1:] if "uvicorn" in " ".join(p.cmdline())]
    assert len(servers) == 1
    servers[0].kill()
    assert re.search(r"site ended with -9; again in [\d.]+ s", one.until("site ended"))
    beside = supervisor.Supervisor(say=pytest.fail)
    assert supervisor.wait_for_site(beside, "127.0.0.1", one.port)
    second = demo()
    assert f"the demo already runs in {tmp_path} (process {one.process.pid})" in second.process.communicate()[0]
    assert second.process.returncode == 1
    _, left = one.ends_with(signal.SIGKILL)
    assert left == []


def test_a_port_in_use_is_said_in_one_line(demo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = demo(port)
        said, _ = one.process.communicate(timeout=60)
    assert one.process.returncode == 1
    assert said.splitlines() == [
        f"CommandError: port {port} is not free (Address already in use); choose another: make demo PORT={port + 1}"
    ]
