"""What the tests of live pages share: the servers that hold streams, as processes of their own, and what is heard."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
from django.db import connection

from scorecard import children, engines
from scorecard.live.hub import database_address


def run(coroutine, *, seconds=30):
    """Run it in a thread of its own: the browser's driver may hold a loop in the tests' thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(coroutine, seconds)).result(seconds + 5)


@contextlib.contextmanager
def other_connection():
    """A connection as of another program, that commits at once."""
    with psycopg.connect(**{**database_address(), "application_name": "another program"}, autocommit=True) as db:
        yield db


def notify(channel, payload):
    with other_connection() as db:
        db.execute("SELECT pg_notify(%s, %s)", [channel, json.dumps(payload)])


def cut_listeners():
    """End the backends that listen; how many there were."""
    with other_connection() as db:
        return db.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'tablero live' AND datname = current_database()"
        ).fetchone()[0]


def _environment(**more):
    base, _, query = os.environ["DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    url = f"{base.rsplit('/', 1)[0]}/{name}{'?' + query if query else ''}"
    return {**os.environ, "DATABASE_URL": url, **more}


@contextlib.contextmanager
def server(application, log, wait_until, **environment):
    """A real uvicorn on a port of its own; the value has `url` and `process`."""
    port = engines.free_port()
    argv = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--timeout-graceful-shutdown", "5"]
    with log.open("wb") as output:
        process = children.spawn(
            argv, log=output, death_signal=signal.SIGKILL, env=_environment(**environment), cwd=engines.ROOT
        )
    try:
        wait_until(
            lambda: b"Uvicorn running" in log.read_bytes() or process.poll() is not None,
            why="the server does not start",
        )
        assert process.poll() is None, engines.log_tail(log, 40)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        children.stop(process, grace=10)


class Server:
    def __init__(self, url, process):
        self.url, self.process = url, process


class Listener(threading.Thread):
    """An open page: reads its stream until it ends. events: (name, data) in their order."""

    def __init__(self, server, ticket):
        super().__init__(daemon=True)
        self.address = f"{server.url}/live/events"
        self.ticket = ticket
        self.events, self.headers, self.status = [], None, None

    def run(self):
        with (
            contextlib.suppress(httpx.TransportError),
            httpx.stream("GET", self.address, params={"ticket": self.ticket}, timeout=30, trust_env=False) as answer,
        ):
            self.status, self.headers = answer.status_code, answer.headers
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))

    def named(self, name):
        return [data for said, data in self.events if said == name]
