"""The test bed: engines for the run, a database a worker, a real Celery, a real browser, strictness.

With DATABASE_URL or BROKER_URL set, the tests use those servers; otherwise the process that starts pytest also starts
embedded ones, in a directory of their own, and ends them however it ends itself.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from scorecard import children, engines, translations

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
BROWSER_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config):
    if settings.configured:
        raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: it makes the settings be read before the engines run")
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        translations.compile_all()
        _start_engines(config)
    if is_worker or not getattr(config.option, "tx", None):  # who has workers runs no test itself
        _configure_django(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
    else:
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # or the workers would read the settings before their own turn


def _start_engines(config):
    """Once a run: the workers inherit the addresses through the environment."""
    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)
    directory = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="tablero-test-", ignore_cleanup_errors=True))
    )
    os.environ["VAR_DIR"] = str(directory)  # nothing of a test touches the demo's
    servers = [
        kind(directory, engines.THROWAWAY) if kind is engines.Postgres else kind(directory)
        for kind in (engines.Postgres, engines.Valkey)
        if not os.environ.get(engines.VARIABLES[kind.role])
    ]
    for server, _ in stack.enter_context(engines.started(servers)):
        os.environ[engines.VARIABLES[server.role]] = server.url


def _configure_django(worker):
    """pytest-django sets Django up after this, so the addresses are known by then."""
    if broker := _broker_of(worker):
        os.environ["BROKER_URL"] = broker
    os.environ["VAR_DIR"] = str(Path(os.environ["VAR_DIR"]) / worker)
    os.environ["BOOK_SECONDS"] = "0"  # a test's catalogues are its own
    os.environ["CELERY_QUEUE"] = os.environ["CACHE_PREFIX"] = f"test-{os.getpid()}"  # the real worker's as well
    os.environ["DJANGO_SETTINGS_MODULE"] = "scorecard.settings"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_AUTOREFRESH = True  # no scan of a directory of collected files


def _broker_of(worker):
    """A numbered Valkey or Redis database a worker; another kind of broker is told apart by the queue's name alone."""
    url = os.environ["BROKER_URL"]
    if url.startswith(("redis", "valkey")):
        return f"{url.rsplit('/', 1)[0]}/{1 + int(worker.removeprefix('gw')) % 15}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What needs a real worker or a browser runs one after the other, beside the rest."""
    for item in items:
        if {"real_celery", "page", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("serial"))


@pytest.fixture(scope="session", autouse=True)
def _static_directory_exists():
    """The server of static files warns where the directory of collected ones is missing; tests serve the sources."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


BULK_TABLES = (
    "indicators_measurement, indicators_target, scorecard_card, scorecard_yearversion, "
    "incidents_incident, incidents_victim, incidents_victimizer"
)


@pytest.fixture(autouse=True)
def _bulk_tables_empty_again(request, django_db_blocker):
    """Django empties the tables that it made after a test whose transaction was real; these were made by SQL."""
    yield
    marker = request.node.get_closest_marker("django_db")
    is_real = {"transactional_db", "live_server"} & set(request.fixturenames)
    if is_real or (marker and marker.kwargs.get("transaction")):
        from django.db import connection

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            _let_the_worker_finish(cursor)
            cursor.execute(f"TRUNCATE {BULK_TABLES}")


_BUSY = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND state <> 'idle'"""


def _let_the_worker_finish(cursor):
    """A task still under way would wait for the tables that are to be emptied, while they wait for it."""
    from indicators.stale import lower_flag
    from scorecard.celery import app

    if _worker_logs:
        app.control.purge()
        lower_flag()  # of a message that was just thrown away: the next test's would not be sent
    deadline = time.monotonic() + 20
    while _is_busy(cursor):
        if time.monotonic() > deadline:
            pytest.fail("somebody is still at work in this test's database")
        time.sleep(0.02)


def _is_busy(cursor):
    cursor.execute(_BUSY)
    return bool(cursor.fetchone()[0])


@pytest.fixture
def english():
    """Words are read in English, whatever the country's language."""
    from django.utils.translation import override

    with override("en"):
        yield


# Counting queries ----------------------------------------------------------------------------------------------------


class Queries(list):
    """The SQL of a block; `page` leaves out reading the session and the user."""

    @property
    def page(self):
        return [sql for sql in self if '"django_session"' not in sql and 'FROM "units_user" WHERE' not in sql]


@pytest.fixture
def count_queries():
    """`with count_queries() as queries: ...; assert len(queries.page) <= 2`."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    @contextlib.contextmanager
    def count():
        queries = Queries()
        with CaptureQueriesContext(connection) as captured:
            yield queries
        queries.extend(query["sql"] or "COPY" for query in captured)  # a COPY is recorded without its text

    return count


@pytest.fixture(scope="session")
def wait_until():
    """`wait_until(condition)`: what the condition returned as soon as that is true; fails when the time is up."""

    def wait(condition, *, seconds=30.0, why="what was waited for did not happen"):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                pytest.fail(why)
            time.sleep(0.02)
        return value

    return wait


# A real Celery worker ------------------------------------------------------------------------------------------------

_worker_logs = []  # of the worker of this process, once there is one


@pytest.fixture(scope="session")
def _celery_worker(django_db_setup, django_db_blocker, tmp_path_factory):
    """A worker process on this pytest worker's own database and queue."""
    from django.db import connection

    from scorecard.celery import app

    with django_db_blocker.unblock():
        base, _, query = os.environ["DATABASE_URL"].partition("?")
        database = f"{base.rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}{'?' + query if query else ''}"
    log = tmp_path_factory.mktemp("celery") / "worker.log"
    name = f"test-{os.getpid()}@localhost"
    argv = [sys.executable, "-m", "celery", "-A", "scorecard", "worker", "-n", name, "-c", "1"]
    argv += ["--without-gossip", "--without-mingle", "-l", "INFO"]
    deadline = time.monotonic() + 60
    with log.open("wb") as output:
        process = children.spawn(
            argv,
            log=output,
            death_signal=signal.SIGQUIT,
            env={**os.environ, "DATABASE_URL": database},
            cwd=engines.ROOT,
        )
    try:
        while not app.control.inspect(destination=[name], timeout=0.5).ping():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the Celery worker does not answer: {engines.log_tail(log, 40)}")
        _worker_logs.append(log)
        yield log
    finally:
        children.stop(process, grace=10)


@pytest.fixture
def real_celery(transactional_db, _celery_worker):
    """Tasks sent in this test are carried out by a real worker. The value is the path of its log."""
    return _celery_worker


# One test leaves nothing to the next ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_language_and_loop(request):
    """A test starts in the project's language, and without the event loop that the browser's driver keeps running in
    this thread once any test of this worker has used it: `asyncio.run` would refuse to start beside it."""
    translation.deactivate()
    loop = None if "playwright" in request.fixturenames else asyncio._get_running_loop()
    if loop is not None:
        asyncio._set_running_loop(None)
    yield
    if loop is not None:
        asyncio._set_running_loop(loop)
    translation.deactivate()


# A real browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The system's Chromium; a machine without one skips the browser's tests, continuous integration fails them."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium is installed, and continuous integration must not skip the browser's tests")
        pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the browser's driver runs an event loop in the tests' own thread
    return {**browser_type_launch_args, "executable_path": path, "args": BROWSER_ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "es-EC", "timezone_id": "America/Guayaquil"}


@pytest.fixture
def outside_requests(page, live_server):
    """The addresses beside our own that the page asked for: must stay empty."""
    seen = []
    page.on("request", lambda request: seen.append(request.url) if _is_outside(request.url, live_server.url) else None)
    return seen


def _is_outside(url, own):
    return not url.startswith((own, "data:", "blob:", "about:"))


@pytest.fixture
def sign_in(page, live_server, client):
    """`sign_in(user)`: the page's browser holds that person's session."""

    def as_user(user):
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return page

    return as_user


@pytest.fixture
def axe_violations():
    """`axe_violations(page)`: the serious and critical findings of axe-core, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    def find(page):
        found = Axe().run(page).response["violations"]
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']} at {node['target']}"
            for violation in found
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]

    return find
