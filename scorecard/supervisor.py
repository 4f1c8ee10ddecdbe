"""Everything the demo runs, under one process: started in order, restarted when it dies, ended without a trace."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from scorecard import children, engines

STEADY = 60.0  # seconds after which a program's next death counts as its first
LONGEST_PAUSE = 30.0
FEED, MOST_FED = 0.2, 100  # simulated events a second


class DemoError(RuntimeError):
    """The demo cannot run; the message is one line for the person at the terminal."""


@dataclass
class Program:
    """A program of ours that runs for ever."""

    name: str
    argv: list
    directory: Path
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0

    @property
    def log(self):
        return self.directory / "log" / f"{self.name}.log"

    def spawn(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return children.spawn(self.argv, log=log, death_signal=signal.SIGKILL, cwd=engines.ROOT)


class Supervisor:
    """Keeps programs running. What has `name`, `spawn()`, `log`, `stop_signal` and `grace` is a program."""

    def __init__(self, say=print, clock=time.monotonic):
        self.say = say
        self.clock = clock
        self.running: list[list] = []  # [program, process, started at, deaths in a row], in the order of their start
        self.stopping = threading.Event()
        self.wake = threading.Event()

    def handle_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop_soon())
        signal.signal(signal.SIGCHLD, lambda *_: self.wake.set())

    def stop_soon(self):
        self.stopping.set()
        self.wake.set()

    def add(self, program, process=None):
        self.running.append([program, process or program.spawn(), self.clock(), 0])

    def watch(self):
        """Until told to stop: start again what has died, after a pause that doubles with every death in a row."""
        due: dict[str, float] = {}
        while not self.stopping.is_set():
            for entry in self.running:
                self._look_after(entry, due)
            pause = min([1.0, *(max(0.0, at - self.clock()) for at in due.values())])
            self.wake.wait(pause)
            self.wake.clear()

    def _look_after(self, entry, due):
        program, process, started, deaths = entry
        if process.poll() is None:
            return
        if program.name not in due:
            deaths = 1 if self.clock() - started > STEADY else deaths + 1
            pause = min(LONGEST_PAUSE, 0.25 * 2**deaths)
            due[program.name] = self.clock() + pause
            entry[3] = deaths
            children.stop(process)  # whatever of its group is left
            self.say(f"{program.name} ended with {process.returncode}; again in {pause:g} s. See {program.log}")
        elif self.clock() >= due[program.name]:
            del due[program.name]
            entry[1], entry[2] = program.spawn(), self.clock()

    def stop(self):
        """End everything, last started first: the engines outlive those who talk to them."""
        while self.running:
            program, process, _, _ = self.running.pop()
            children.stop(process, stop_signal=program.stop_signal, grace=program.grace)


def demo(*, host, port, with_sample=True, say=print):
    """Run the whole site until Ctrl-C or SIGTERM. Returns when nothing of it is left."""
    directory = engines.var_dir()
    refuse_taken_port(host, port)
    feed_rate()
    supervisor = Supervisor(say)
    supervisor.handle_signals()
    with engines.owned(directory) as is_mine:
        if not is_mine:
            raise DemoError(_who_is_there(directory))
        try:
            _run(supervisor, directory, host, port, with_sample)
        finally:
            supervisor.stop()


def _run(supervisor, directory, host, port, with_sample):
    for log in (directory / "log").glob("*.log"):
        log.write_bytes(b"")  # a run's logs begin with the run
    servers = engines.wanted(directory)
    for server in servers:
        supervisor.say(f"starting {server.name}")
        supervisor.add(server, server.start())
    with engines.announced(directory, engines.addresses(servers), by="demo"):
        if not _prepare(supervisor, with_sample):
            return
        feed = feeds(directory, host, port) if with_sample else []
        for program in [*programs(directory, host, port), *feed]:
            supervisor.add(program)
        if wait_for_site(supervisor, host, port):
            accounts = directory / "run" / "accounts.txt"
            supervisor.say(f"\nTablero: {address(host, port)}/\n")
            supervisor.say(accounts.read_text() if accounts.exists() else "")
            if feed:
                supervisor.say(f"A simulated feed posts an event every {1 / feed_rate():g} s; FEED=0 turns it off.")
            supervisor.say(f"Logs: {directory / 'log'}   Stop: Ctrl-C")
        supervisor.watch()
    supervisor.say("stopping")


def _prepare(supervisor, with_sample):
    """Tables, sample, translations and static files, in one process that sees the engines. False if told to stop."""
    argv = [sys.executable, "manage.py", "demo", "--prepare"] + ([] if with_sample else ["--no-sample"])
    process = children.spawn(argv, log=None, death_signal=signal.SIGKILL, cwd=engines.ROOT)
    while process.poll() is None:
        supervisor.wake.wait(1.0)
        supervisor.wake.clear()
        if supervisor.stopping.is_set():
            children.stop(process, grace=5)
            return False
    if process.returncode:
        raise DemoError("the preparation failed; what it said is above")
    return True


def programs(directory, host, port):
    """The site, a worker and beat, as in production but smaller."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "scorecard"]
    site = [*python, "uvicorn", "scorecard.asgi:application", "--host", host, "--port", str(port), "--lifespan", "off"]
    worker = [*celery, "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "-l", "INFO", "--pidfile="]
    return [
        Program("site", [*site, "--no-access-log", "--timeout-graceful-shutdown", "3"], directory),
        Program("worker", worker, directory),
        Program("beat", beat, directory),
    ]


def feeds(directory, host, port):
    """The simulated feed, where it is wanted and the preparation left it a token."""
    if not feed_rate() or not list((directory / "run" / "feeds").glob("*.token")):
        return []
    argv = [sys.executable, "manage.py", "simulate_feed", "--rate", str(feed_rate()), "--url", address(host, port)]
    return [Program("feed", argv, directory)]


def feed_rate():
    """Simulated events a second, from FEED; 0 for none."""
    given = os.environ.get("FEED") or FEED
    try:
        rate = float(given)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= MOST_FED:
        raise DemoError(f"FEED={given} is no number of events a second from 0 to {MOST_FED}")
    return rate


def address(host, port):
    return f"http://{_shown(host)}:{port}"


def refuse_taken_port(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(
                f"port {port} is not free ({error.strerror}); choose another: make demo PORT={port + 1}"
            ) from None


def wait_for_site(supervisor, host, port, timeout=60.0):
    """Whether the site answers, before the time is up and before we are told to stop."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not supervisor.stopping.is_set():
        connection = http.client.HTTPConnection(_shown(host), port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status < 500:
                return True
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        supervisor.stopping.wait(0.1)
    if not supervisor.stopping.is_set():
        supervisor.say(f"the site does not answer yet. See {engines.var_dir() / 'log' / 'site.log'}")
    return False


def _shown(host):
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound


def _who_is_there(directory):
    owner = engines.announcement(directory)
    if owner.get("by") == "demo":
        return f"the demo already runs in {directory} (process {owner['pid']})"
    return f"another command uses the engines in {directory}; try again when it is done"
