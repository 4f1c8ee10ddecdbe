"""GET /live/events: the events of an open page. Raw ASGI, beside Django or alone:

    uvicorn scorecard.live.app:application

Alone it needs the settings (the secret key that signs tickets, the database), and none of the site's applications.
Written for uvicorn, which writes at once what is sent while the reader reads.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scorecard.settings")

from scorecard.live import ticket as tickets
from scorecard.live.hub import Stream, hub

PATH = "/live/events"
MOST = int(os.environ.get("LIVE_STREAMS", "20000"))  # in this process; more are asked to come back later
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # or nginx would keep events back
    (b"x-content-type-options", b"nosniff"),
]


async def application(scope, receive, send):
    """The stream of events; nothing else is here."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    stream = await _opened(scope, send) if scope["type"] == "http" else None
    if stream is None:
        return
    try:
        while (await receive())["type"] != "http.disconnect":
            pass  # a body that nobody asked for
    finally:
        hub.leave(stream)


async def _opened(scope, send) -> Stream | None:
    """The stream that is asked for, begun; None where it was refused."""
    if scope["path"] != PATH:
        return await _refuse(send, 404, "there is nothing here")
    if scope["method"] != "GET":
        return await _refuse(send, 405, "read with GET", (b"allow", b"GET"))
    try:
        ticket = tickets.read(parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [""])[0])
    except tickets.TicketError as error:
        return await _refuse(send, 403, str(error))
    if hub.has_lost(ticket.leave, ticket.at):
        return await _refuse(send, 403, "this leave has ended")
    if hub.is_closing or len(hub) >= MOST:
        return await _refuse(send, 503, "come back later", (b"retry-after", b"5"))
    _end_streams_with_the_server()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    _forget(scope)
    retry = f"retry: {random.randint(1000, 3000)}\n".encode()
    stream = Stream(send, ticket.key, ticket.until, ticket.leave)
    hub.join(stream)
    hub.push(stream, retry + hub.hello(stream, ticket.at))
    return stream


def _forget(scope):
    """Let go of what the server would keep as long as the page is open; of an answer begun it asks the method alone."""
    kept = {name: scope[name] for name in ("type", "method")}
    scope.clear()
    scope.update(kept)


async def lifespan(receive, send):
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.shutdown":
            hub.close()
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _refuse(send, status, text, *headers) -> None:
    body = text.encode()
    said = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": [*said, (b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": body})


# The end -------------------------------------------------------------------------------------------------------------

_chained: set[int] = set()


def _end_streams_with_the_server():
    """Close the streams at the signal that ends the server.

    A server waits for its open answers before it tells of its end, and a stream never ends by itself.
    """
    if _chained or threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _chain(loop, before))
            _chained.add(number)


def _chain(loop, before):
    def handle(number, frame):
        loop.call_soon_threadsafe(hub.close)
        before(number, frame)

    return handle
