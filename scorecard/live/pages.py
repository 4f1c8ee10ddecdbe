"""Pages that keep themselves current: the whole page at first, later the same page without its frame.

An open page asks for itself with a header of its own and the ETag of what it shows: what has not changed is neither
drawn nor sent. Without scripts a reload does the same.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from scorecard.components import Band
from scorecard.live.app import PATH

HEADER = "X-Tablero-Live"
WHOLE, PIECES = "base.html", "live/pieces.html"
CARD_BANDS = (
    *(Band(name) for name in ("green", "amber", "red", "withheld", "no_data", "not_applicable")),
    *(Band(name, provisional=True) for name in ("green", "amber", "red")),
    Band("green", red_below=True),
    Band("green", provisional=True, red_below=True),
)


class Live(NamedTuple):
    """What an open page needs in order to stay current."""

    address: str
    ticket: str
    etag: str
    at: Any
    zone: str
    lights: list


def is_asked_again(request) -> bool:
    """Whether an open page asks for what has changed on it."""
    return request.headers.get(HEADER) == "pieces"


def etag_of(*parts: Any) -> str:
    said = repr((*parts, get_language())).encode()
    return f'"{blake2b(said, digest_size=12).hexdigest()}"'


def unchanged(request, etag: str) -> HttpResponse | None:
    """The answer that nothing has changed, to an open page that shows this already."""
    if is_asked_again(request) and request.headers.get("If-None-Match") == etag:
        return _kept_from_caches(HttpResponseNotModified(), etag)
    return None


def respond(request, template: str, context: dict[str, Any], *, ticket: str, etag: str = "") -> HttpResponse:
    """The page, or its pieces. Without an ETag, that of the text."""
    is_again = is_asked_again(request)
    lights = [] if is_again else [(band_key(band), band) for band in CARD_BANDS]
    live = Live(PATH, ticket, etag, timezone.localtime(), settings.TIME_ZONE, lights)
    response = render(request, template, {**context, "base": PIECES if is_again else WHOLE, "live": live})
    if not is_again:
        patch_vary_headers(response, [HEADER])
        return response
    etag = etag or etag_of(response.content)
    response["X-Tablero-Ticket"] = ticket
    return unchanged(request, etag) or _kept_from_caches(response, etag)


def band_key(band: Band) -> str:
    """A card's light by the name that events give it (scorecard.live.hub.card_said)."""
    return band.name + "-provisional" * band.provisional + "-red" * band.red_below


def _kept_from_caches(response, etag):
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, [HEADER])
    return response
