"""What is wrong with a request, as RFC 9457 says it: application/problem+json with title, detail and the rule's name.

A plain view and a DRF view answer alike: the one by `answers_problems`, the other by `handler`.
"""

import functools
import json

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - as RFC 9457 names it
    """A request that is refused as a whole. `more`: further members of the answer; `headers`: further headers."""

    status = 400

    def __init__(self, rule, detail="", *, status=None, headers=None, **more):
        self.rule, self.detail = rule, str(detail)
        self.status = status or self.status
        self.headers = headers or {}
        self.more = more
        super().__init__(f"{rule}: {self.detail}")

    @property
    def body(self):
        members = {"type": "about:blank", "title": str(title_of(self.status)), "status": self.status}
        return {**members, "detail": self.detail, "rule": self.rule, **self.more}


class NotSignedIn(Problem):
    status = 401

    def __init__(self, rule, detail):
        super().__init__(rule, detail, headers={"WWW-Authenticate": 'Bearer realm="api"'})


class Forbidden(Problem):
    status = 403


class TooManyRequests(Problem):
    status = 429


def of_parameter(name, words):
    """The problem of a parameter of the address that cannot be read."""
    return Problem("invalid_parameter", words, errors=[{"field": name, "message": str(words)}])


def of_method(method, allowed):
    """The problem of a method that an address does not take; `allowed`: those that it takes."""
    words = exceptions.MethodNotAllowed(method).detail
    return Problem("method_not_allowed", words, status=405, headers={"Allow": ", ".join(allowed)})


def title_of(status):
    titles = {
        400: _("The request cannot be read"),
        401: _("A valid token is needed"),
        403: _("Not allowed"),
        404: _("Not there"),
        405: _("This address does not take this method"),
        406: _("This address does not answer in that form"),
        409: _("The request contradicts what is there"),
        412: _("It has changed since"),
        413: _("The body is too large"),
        415: _("This kind of body is not taken"),
        422: _("The request cannot be carried out"),
        429: _("Too many requests"),
        503: _("Not available now"),
    }
    return titles.get(status) or _("The request was refused")


def respond(problem):
    """The problem as an answer of a plain Django view."""
    body = json.dumps(problem.body, ensure_ascii=False)
    return HttpResponse(body, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def answers_problems(view):
    """A plain view whose problems, and Django's own refusals, are answered as problem+json."""

    @functools.wraps(view)
    def answer(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            return respond(problem)

    return answer


def problem_of(error):
    """The problem that an exception stands for, or None where it is a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return Problem("not_found", _("There is nothing here that you may see."), status=404)
    if isinstance(error, PermissionDenied):
        return Forbidden("not_allowed", str(error) or _("Your role does not allow this."))
    if isinstance(error, RequestDataTooBig):
        return Problem("body_too_large", _("The body is larger than this site takes."), status=413)
    if isinstance(error, ValidationError):
        return Problem("invalid", " ".join(error.messages), status=422)
    if isinstance(error, (SuspiciousOperation, MultiPartParserError)):
        return Problem("unreadable", _("The request cannot be read."))
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    return None


def _of_drf(error):
    """DRF's own refusals: by their code as the rule; errors by field as `errors`."""
    if isinstance(error, exceptions.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        found = [{"field": field, "message": str(m)} for field, ms in errors.items() for m in _listed(ms)]
        detail = " ".join(f"{one['field']}: {one['message']}".removeprefix(": ") for one in found)
        return Problem("invalid_parameter", detail, errors=found)
    if isinstance(error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        return NotSignedIn("no_token", _("Send the header Authorization: Bearer and a token."))
    return Problem(error.default_code, str(error.detail), status=error.status_code)


def _listed(messages):
    return messages if isinstance(messages, list) else [messages]


def handler(error, context):
    """DRF's EXCEPTION_HANDLER. The answer is the same whatever form the view has for its own."""
    from django.db import connections

    problem = problem_of(error)
    if problem is None:
        return None
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)
    return respond(problem)
