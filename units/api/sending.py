"""What every address that takes a body does: read it up to the limit, answer a repeated request as the first time."""

from __future__ import annotations

from contextlib import nullcontext

import msgspec
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _

from units.api import idempotency
from units.api.errors import Problem, of_parameter


def body_of(request):
    """The body (bytes), read by ourselves: the site's limit is for forms. Raises Problem 400, 413, 415."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        words = _("A body is sent as it is, without Content-Encoding.")
        raise Problem("encoding_unknown", words, status=415, headers={"Accept-Encoding": "identity"})
    try:
        body = _stream_of(request).read(settings.API_MAX_BODY + 1)
    except OSError as error:  # the sender is gone in the middle of a chunk
        raise Problem("unreadable", _("The request cannot be read.")) from error
    if len(body) > settings.API_MAX_BODY:
        words = _("The body is larger than %(at)s bytes: send it in parts.") % {"at": settings.API_MAX_BODY}
        raise Problem("body_too_large", words, status=413)
    return body


def _stream_of(request):
    """Where the body is read: in chunks, whose length nobody announced, Django's WSGI request reads nothing."""
    is_chunked = request.META.get("wsgi.input_terminated") and not request.META.get("CONTENT_LENGTH")
    return request.META["wsgi.input"] if is_chunked else request


def breaks_off(request, body):
    """Whether fewer bytes came than were announced: servers hand such a body on without a word."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    return announced.isdecimal() and int(announced) > len(body)


def is_dry_run(request):
    """Whether the request is only a try. Raises Problem 400 where that is not clear: nothing is written by mistake."""
    given = request.GET.get("dry_run", "0").lower()
    if given not in ("1", "true", "0", "false"):
        raise of_parameter("dry_run", _("dry_run: 1 or 0."))
    return given in ("1", "true")


def once(request, account, *, body, now, work):
    """What `work()` answers, (status, members), kept under the request's Idempotency-Key with the work itself.

    Returns HttpResponse. A dry run, and a body that breaks off (the answer says `cut`), keep no key: the whole request
    may follow under it.
    """
    key = None if is_dry_run(request) or breaks_off(request, body) else idempotency.key_of(request)
    with transaction.atomic() if key else nullcontext():  # without a key, the work's own transaction is enough
        digest = idempotency.digest_of(request, body) if key else b""
        replayed = idempotency.replay(account=account, key=key, digest=digest, now=now)
        if replayed is not None:
            return _located(replayed)
        status, answer = work()
        encoded = msgspec.json.encode(answer)
        if "cut" in answer:
            idempotency.release(account=account, key=key)
        else:
            idempotency.store(account=account, key=key, status=status, body=encoded)
    return _located(HttpResponse(encoded, status=status, content_type="application/json"))


def _located(response):
    """An answer that the work is taken up later says where to ask for it: `job` in its body."""
    if response.status_code == 202:
        response.headers["Location"] = msgspec.json.decode(response.content)["job"]
    return response
