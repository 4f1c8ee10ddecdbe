"""The site and its worker as processes on the benchmark's own database."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(directory, **more):
    """Production settings on the current database, with files of their own."""
    base = settings.DATABASE_URL.partition("?")[0].rsplit("/", 1)[0]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "scorecard.settings",
        "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
        "BROKER_URL": settings.BROKER_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "VAR_DIR": str(directory),
        "DEBUG": "0",
        "LOG_LEVEL": "ERROR",
        **more,
    }


@contextmanager
def site(app, *, server="gunicorn", collect=True, **more):
    """Serve an application on a free port: gunicorn's two synchronous workers, or one uvicorn. Yields (port, process).

    more: of its environment.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tablero-bench-") as directory:
        env = environment(directory, **more)
        if collect:
            manage = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
            subprocess.run(manage, cwd=ROOT, env=env, check=True)
        with running([*_argv(app, server, port)], env) as process:
            wait_for(port, process)
            yield port, process


def _argv(app, server, port):
    if server == "uvicorn":
        return [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port), "--no-access-log",
                "--log-level", "warning", "--backlog", "8192", "--timeout-graceful-shutdown", "2", "--no-proxy-headers",
                "--ws", "none"]  # fmt: skip
    return [sys.executable, "-m", "gunicorn", "--workers", "2", "--worker-class", "sync", "--backlog", "512", "--bind",
            f"127.0.0.1:{port}", "--log-level", "warning", app]  # fmt: skip


@contextmanager
def worker(**more):
    """One Celery worker process, on a queue of its own. Its environment must be the site's: see `queue`."""
    with tempfile.TemporaryDirectory(prefix="tablero-bench-") as directory:
        argv = [sys.executable, "-m", "celery", "-A", "scorecard", "worker", "-c", "1", "-l", "WARNING", "--beat"]
        argv += ["--without-gossip", "--without-mingle", "-n", f"bench-{os.getpid()}@localhost"]
        with running(argv, environment(directory, **more)) as process:
            yield process


@contextmanager
def running(argv, env):
    process = subprocess.Popen(argv, cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port, process):
    """Until the port answers; a process that ended says so."""
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server does not answer")
