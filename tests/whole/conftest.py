"""The whole of it: engines, site, worker and beat as processes of their own, which a test may kill."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from itertools import count

import psycopg
import pytest

from scorecard import children, engines

ENGINES = {"DATABASE_URL", "BROKER_URL", "VAR_DIR", "CACHE_URL", "CELERY_QUEUE"}
SETTLED = """SELECT NOT EXISTS (SELECT FROM indicators_stalemark) AND NOT EXISTS (SELECT FROM incidents_countmark)"""


class Whole:
    """A site that runs. `country`: what tests/whole/country.py says of it; `acknowledged`: events that were taken."""

    def __init__(self, directory, database, broker):
        self.directory, self.database, self.broker = directory, database, broker
        self.processes, self.port = {}, engines.free_port()
        self.environment = {k: v for k, v in os.environ.items() if k not in ENGINES} | {
            "VAR_DIR": str(directory),
            "DATABASE_URL": database[0].url,
            "BROKER_URL": broker[0].url,
            "DJANGO_SETTINGS_MODULE": "scorecard.settings",
            "DEBUG": "1",  # static files out of their sources
            "LOG_LEVEL": "WARNING",
        }
        self.numbers = count(1)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # Processes

    def run(self, *argv):
        """Run a program to its end and return what it prints."""
        argv = [sys.executable, *argv]
        done = subprocess.run(argv, cwd=engines.ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self, name):
        celery = [sys.executable, "-m", "celery", "-A", "scorecard"]
        argv = {
            "site": [sys.executable, "-m", "uvicorn", "scorecard.asgi:application", "--port", str(self.port),
                     "--no-access-log", "--timeout-graceful-shutdown", "1"],
            "worker": [*celery, "worker", "-c", "1", "--without-gossip", "--without-mingle", "-l", "WARNING"],
            "beat": [*celery, "beat", "-l", "WARNING", "--pidfile=", "-s", str(self.directory / "beat")],
        }[name]  # fmt: skip
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = children.spawn(
                argv, log=log, death_signal=signal.SIGKILL, cwd=engines.ROOT,
                env=self.environment | {"PGAPPNAME": name},  # by which the database tells whose a connection is
            )  # fmt: skip

    def kill(self, name):
        """SIGKILL to a program and all that it started."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def crash_database(self):
        """PostgreSQL dies at once, as in a power cut, and comes up again."""
        server, process = self.database
        process.send_signal(signal.SIGQUIT)
        process.wait()
        process = server.spawn()
        self.database = server, process
        assert server.wait_until_ready(process)

    def stop(self):
        for process in reversed(self.processes.values()):
            children.stop(process, grace=5)

    # Asking

    def sql(self, query, *parameters):
        with self.connect() as db:
            return db.execute(query, parameters).fetchall()

    def connect(self):
        return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.request("GET", "/healthz")[0] == 200

    def request(self, method, path, body=None, headers=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request(method, path, body, headers or {})
            response = link.getresponse()
            return response.status, response.read()
        finally:
            link.close()

    def post(self, items, **headers):
        """Post events: (status, answer)."""
        headers = {"Authorization": f"Bearer {self.country['token']}", "Content-Type": "application/json", **headers}
        status, body = self.request("POST", "/api/v1/incidents", json.dumps(items), headers)
        return status, json.loads(body)

    def is_settled(self):
        return self.sql(SETTLED)[0][0]

    # Events

    def events(self, size):
        """New events of the month before the running one, each with an identifier of its own."""
        month, places = self.country["month"][:8], self.country["places"]
        return [
            {"external_id": f"W{n}", "category": "HOMICIDE.MURDER", "occurred_on": f"{month}{n % 20 + 1:02d}",
             "occurred_at": "10:30", "place": places[n % len(places)], "victims": [{"age": 30}]}
            for n in (next(self.numbers) for _ in range(size))
        ]  # fmt: skip

    def post_until_taken(self, items):
        """What a sender does: the same body again until it is acknowledged. Returns the identifiers."""
        for _ in range(400):
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                status, answer = self.post(items)
                if status == 200:
                    assert answer["refused"] == 0, answer
                    return [item["external_id"] for item in items]
                assert status >= 500, answer  # else it would be our own fault
            threading.Event().wait(0.05)
        raise AssertionError("a body was never taken")

    def load(self, posts, trouble, *, at, senders=4):
        """Post so many bodies from several senders, and make trouble whenever one of `at` posts has been taken."""
        taken, lock, started, wrong = [], threading.Lock(), count(), []
        reached = {n: threading.Event() for n in at}

        def send():
            try:
                while (n := next(started)) < posts:
                    identifiers = self.post_until_taken(self.events(1 if n % 4 else 10))
                    with lock:
                        taken.append(identifiers)
                        for mark, event in reached.items():
                            if len(taken) >= mark:
                                event.set()
            except BaseException as error:  # noqa: BLE001 - told by the test's own thread
                wrong.append(error)
                for event in reached.values():
                    event.set()

        threads = [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        for event in reached.values():
            event.wait()
            trouble()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]
        return [identifier for identifiers in taken for identifier in identifiers]


@pytest.fixture(scope="session")
def whole(tmp_path_factory, wait_until):
    """The site of a small country with a feed; started once."""
    directory = tmp_path_factory.mktemp("whole")
    directory.chmod(0o755)
    servers = [engines.Postgres(directory, engines.DURABLE | {"max_connections": 60}), engines.Valkey(directory)]
    with engines.started(servers) as pairs:
        one = Whole(directory, *[(server, process) for server, process in pairs])
        one.country = json.loads(one.run("-m", "tests.whole.country"))
        try:
            for name in ("site", "worker", "beat"):
                one.start(name)
            wait_until(one.answers, seconds=60, why="the site does not answer")
            yield one
        finally:
            one.stop()
            if one.database[1] is not pairs[0][1]:
                children.stop(one.database[1], stop_signal=signal.SIGINT, grace=20)
