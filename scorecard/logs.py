"""Log lines: one a record, as key=value or JSON, each with the id of the request or task that it belongs to.

No personal data: a person is a number, an address stands without its query and without names and tokens in its path.
"""

import json
import logging
import re
import secrets
import time
from contextvars import ContextVar
from datetime import UTC, datetime

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils.functional import SimpleLazyObject

HEADER = "X-Request-ID"
request_id = ContextVar("request_id", default="")
task_name = ContextVar("task_name", default="")
access = logging.getLogger("scorecard.access")

SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{7,63}")
PRIVATE = {"username", "token", "uidb64"}  # parts of a path that name a person or open a door
PROBES = {"/healthz", "/readyz", "/metrics"}
PLAIN = re.compile(r"[A-Za-z0-9_.:/@+\-]+")  # a value that needs no quotes
TRACEBACK = 8000  # letters of a traceback that are kept, its end


def new_id():
    return secrets.token_hex(12)


class Filter(logging.Filter):
    """Every record gets the ids of its request and task, and a request's record a path without names."""

    def filter(self, record):
        record.request_id, record.task = request_id.get(), task_name.get()
        request = getattr(record, "request", None)
        if request is not None and record.name.startswith("django.") and hasattr(request, "path"):
            shown = path_of(request)
            record.args = tuple(shown if arg == request.path else arg for arg in record.args or ())
        return True


class Formatter(logging.Formatter):
    """time, level, logger, request, task, message, the record's own fields, and a traceback, on one line."""

    def __init__(self, style_of_lines="line"):
        super().__init__()
        self.as_json = style_of_lines == "json"

    def format(self, record):
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "request_id", ""),
            "task": getattr(record, "task", ""),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)[-TRACEBACK:]
        said = {name: value for name, value in said.items() if value not in ("", None)}
        if self.as_json:
            return json.dumps(said, ensure_ascii=False, default=str)
        return " ".join(f"{name}={_quoted(value)}" for name, value in said.items())


def _quoted(value):
    text = str(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def path_of(request):
    """The path as it may be logged: without the names and tokens that stand in it."""
    path = request.path
    match = getattr(request, "resolver_match", None)
    for name, value in (match.kwargs if match else {}).items():
        if name in PRIVATE:
            path = path.replace(f"/{value}", "/-")
    return path[:200]


def user_of(request):
    """The id of the person or service account, if anything has asked for it; a log line asks the database nothing."""
    user = request.__dict__.get("user")
    if type(user) is SimpleLazyObject:  # of the session: known where somebody looked
        user = request.__dict__.get("_cached_user")
    return getattr(user, "pk", None)


class Requests:
    """Gives each request an id - the caller's own where it is sane - and writes one line when it is answered."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self._later(request)
        started, token = self._begin(request)
        try:
            return self._end(request, self.get_response(request), started)
        finally:
            request_id.reset(token)

    async def _later(self, request):
        started, token = self._begin(request)
        try:
            return self._end(request, await self.get_response(request), started)
        finally:
            request_id.reset(token)

    def _begin(self, request):
        given = request.headers.get(HEADER, "")
        request.id = given if SANE.fullmatch(given) else new_id()
        return time.perf_counter(), request_id.set(request.id)

    def _end(self, request, response, started):
        response[HEADER] = request.id
        fields = {
            "method": request.method if request.method.isalpha() else "-",
            "path": path_of(request),
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
            "user": user_of(request),
        }
        level = logging.DEBUG if request.path in PROBES else logging.INFO
        access.log(level, "request", extra={"fields": fields})
        return response


# Tasks ---------------------------------------------------------------------------------------------------------------


def send_id(headers=None, **_):
    """A task carries the id of the request, or of the task, that asked for it."""
    if headers is not None and request_id.get():
        headers.setdefault("request_id", request_id.get())


def take_id(task_id=None, task=None, **_):
    """The lines of a task carry that id; a task that nobody asked for, as beat's, has its own."""
    request_id.set(_header(task) or str(task_id or new_id()).replace("-", "")[:24])
    task_name.set(task.name if task is not None else "")


def _header(task):
    request = getattr(task, "request", None)
    given = getattr(request, "request_id", None) or (getattr(request, "headers", None) or {}).get("request_id") or ""
    return given if SANE.fullmatch(str(given)) else ""


def forget_id(**_):
    request_id.set("")
    task_name.set("")
