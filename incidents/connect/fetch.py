"""One page of a source over HTTP: bytes of JSON and headers, or a SourceError with the rule that it broke.

Only http and https, only the host that was agreed, also after a redirect; a limited body, in a limited time.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
from django.conf import settings

from incidents.connect.backoff import retry_after
from incidents.connect.rules import SourceError

REDIRECTS = 3
CONNECT_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
STATUSES = {401: "secret_refused", 403: "secret_refused", 404: "not_found", 410: "not_found", 429: "too_many_requests"}


@dataclass
class Answer:
    """A page: the JSON value, and the next link of its header, if any."""

    value: object
    next_link: str


def origin(url):
    """(scheme, host, port) of an address. Raises SourceError where it may not be read at all."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise SourceError("address_refused", url) from None
    if parts.scheme not in PORTS or not host or parts.username or parts.password:
        raise SourceError("address_refused", host or parts.scheme)
    return parts.scheme, host, port or PORTS[parts.scheme]


def check_host(host, port, *, resolve=True):
    """Raise SourceError unless the host may be read: named in CONNECT_HOSTS; without such a list, a public one.

    resolve: ask for its addresses, which may be this machine's own, or of a private network, by any name.
    """
    if settings.CONNECT_HOSTS:
        if host not in settings.CONNECT_HOSTS:
            raise SourceError("address_refused", host)
        return
    if not resolve:
        return
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise SourceError("unreachable", f"{host}: {error}") from error
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not address.is_global or address.is_multicast:
            raise SourceError("address_refused", f"{host}: {address}")


def same_origin(url, base):
    """The address `url`, read from `base`, if it is of the same host. Raises SourceError."""
    whole = urljoin(base, url)
    try:
        is_same = origin(whole) == origin(base)
    except SourceError:
        is_same = False
    if not is_same:
        raise SourceError("other_host", whole[:200])
    return whole


def get(url, *, headers, now):
    """Answer of a GET. Raises SourceError."""
    check_host(*origin(url)[1:])
    deadline = time.monotonic() + settings.CONNECT_TIMEOUT
    limits = httpx.Timeout(settings.CONNECT_TIMEOUT, connect=min(CONNECT_SECONDS, settings.CONNECT_TIMEOUT))
    asked = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Tablero", **headers}
    try:
        with httpx.Client(timeout=limits, follow_redirects=False, trust_env=False) as client:
            return _follow(client, url, asked, deadline, now)
    except httpx.TimeoutException as error:
        raise SourceError("timed_out", type(error).__name__) from error
    except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
        raise SourceError("unreachable", str(error)) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise SourceError("broken_off", str(error)) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SourceError("address_refused", str(error)) from error


def _follow(client, url, headers, deadline, now):
    for _turn in range(REDIRECTS + 1):
        with client.stream("GET", url, headers=headers) as response:
            if response.is_redirect:
                url = same_origin(response.headers.get("Location", ""), url)
                continue
            _check_status(response, now)
            value = _decoded(_body(response, deadline))
            return Answer(value, response.links.get("next", {}).get("url", ""))
    raise SourceError("too_many_redirects", url[:200])


def _check_status(response, now):
    status = response.status_code
    if status == 200:
        return
    rule = STATUSES.get(status, "source_failed" if status >= 500 else "status_unexpected")
    raise SourceError(rule, str(status), retry_after=retry_after(response.headers.get("Retry-After"), now))


def _body(response, deadline):
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > settings.CONNECT_MAX_BODY:
            raise SourceError("page_too_large", str(settings.CONNECT_MAX_BODY))
        if time.monotonic() > deadline:
            raise SourceError("timed_out", f"{settings.CONNECT_TIMEOUT:g} s")
        parts.append(part)
    return b"".join(parts)


def _decoded(body):
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError as error:
        raise SourceError("page_encoding", str(error.start)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        rule = "page_encoding" if "utf-8" in str(error).lower() else "page_malformed"
        raise SourceError(rule, str(error)) from error
