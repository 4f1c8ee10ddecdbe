"""What the database says has changed, told to those open pages alone that show it.

One connection a process listens; it is opened when the first page comes, opened again when it is lost, and then every
page is told to look for itself. No task and no queue a page: what is to be said is written straight to its socket, and
a page that does not read what it was told is dropped, to come back and catch up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import defaultdict

import psycopg
from django.conf import settings
from psycopg.rows import namedtuple_row

from scorecard.live import count
from scorecard.live.leave import Leave, lost

log = logging.getLogger(__name__)

CARDS, INCIDENTS = "tablero_cards", "tablero_incidents"
HEARTBEAT = 15  # seconds between two signs of life to a page; each second a fifteenth of the pages is served
LEAVES_EVERY = 180.0  # seconds after which it is asked again who may hear
LONGEST_LEAVE = 12 * 3600.0  # seconds that a ticket holds
PULSE = 20.0  # seconds of silence after which the database is asked whether it is there
ANSWER = 10.0  # seconds that it has to answer
EVERY_MONTH = "every month"
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
MARGIN = 5.0  # seconds that clocks may differ, and a page takes between reading and signing
APPLICATION = "tablero live"
LIBPQ = {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "options", "target_session_attrs", "service"}
LIGHTS = {1: "green", 2: "amber", 3: "red", 4: "withheld"}

CHANGED_CARDS = """
SELECT c.unit_id, c.parent_id, u.code, c.light, c.has_red, c.is_provisional,
       nullif(c.score, 'NaN') AS score, c.coverage <> 'NaN' AS is_due, c.digest
FROM scorecard_card c JOIN units_unit u ON u.id = c.unit_id
WHERE c.month = %(month)s AND c.unit_id = ANY(%(changed)s)
  AND (c.unit_id = ANY(%(shown)s) OR c.parent_id = ANY(%(shown)s))
"""


def event(name: str, **data) -> bytes:
    """A server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Stream:
    """An open page. key: what it shows; leave: who may hear it, and until when; bucket: its turn of the heartbeat's."""

    __slots__ = ("bucket", "key", "leave", "send", "until")

    def __init__(self, send, key, until, leave=None):
        self.send, self.key, self.until, self.leave = send, key, until, leave
        self.bucket = 0


class Hub:
    """The streams of this process by what they show, and the connection that hears what changes."""

    def __init__(self, address=None):
        self.address = address or database_address
        self.streams: dict[object, set[Stream]] = {}
        self.buckets: list[set[Stream]] = [set() for _ in range(HEARTBEAT)]
        self.changed: dict[str, float] = {}  # when cards of a month, or incidents, were last said to have changed
        self.above: dict[int, tuple[int, ...]] = {}  # the territory and those that it lies in
        self.roots: tuple[int, ...] = ()
        self.lost: dict[Leave, float] = {}  # leaves that hold no more, and when that was found
        self.asked = time.monotonic()  # when leaves were last looked at
        self.since: float | None = None  # when this connection began to listen; None while none does
        self.tasks: list[asyncio.Task] = []
        self.came = 0
        self.is_closing = False

    def __len__(self):
        return sum(map(len, self.buckets))

    # Pages come and go

    def join(self, stream: Stream) -> None:
        self.start()
        stream.bucket = self.came % HEARTBEAT
        self.came += 1
        self.buckets[stream.bucket].add(stream)
        self.streams.setdefault(stream.key, set()).add(stream)

    def leave(self, stream: Stream) -> None:
        self.buckets[stream.bucket].discard(stream)
        those = self.streams.get(stream.key)
        if those is not None:
            those.discard(stream)
            if not those:
                del self.streams[stream.key]

    def start(self) -> None:
        if not self.tasks:
            self.tasks = [asyncio.create_task(self._listen_for_ever()), asyncio.create_task(self._beat())]

    def close(self) -> None:
        """End every stream now: a server that stops waits for its open answers."""
        self.is_closing = True
        for task in self.tasks:
            task.cancel()
        for bucket in self.buckets:
            for stream in list(bucket):
                self.end(stream)

    def hello(self, stream: Stream, at: float) -> bytes:
        """Said first. stale: what it shows may have changed since the page was made, so that it should look."""
        about = (EVERY_MONTH, stream.key[1]) if isinstance(stream.key, tuple) else (INCIDENTS,)
        moved = max([self.since or 0.0, *(self.changed.get(name, 0.0) for name in about)])
        return event("hello", at=round(time.time(), 3), stale=moved > at - MARGIN)

    # Leaves that end before their time

    def has_lost(self, leave: Leave, at: float) -> bool:
        """Whether a leave that was signed at this time was found to have ended since."""
        return self.lost.get(leave, 0.0) >= at

    async def _end_what_is_lost(self, db):
        """End the streams of those who may no longer hear: one question for all of them."""
        self.asked, now = time.monotonic(), time.time()
        leaves = list({stream.leave for bucket in self.buckets for stream in bucket if stream.leave})
        gone = set(await lost(db, leaves)) if leaves else set()
        self.lost = {leave: at for leave, at in self.lost.items() if at > now - LONGEST_LEAVE} | dict.fromkeys(
            gone, now
        )
        for stream in [one for bucket in self.buckets for one in bucket if one.leave in gone]:
            self.end(stream)

    # Writing

    def push(self, stream: Stream, data: bytes, more: bool = True) -> None:
        """Write without waiting. A server whose answer cannot be written at once has a reader that does not read."""
        step = stream.send({"type": "http.response.body", "body": data, "more_body": more})
        try:
            step.send(None)
        except StopIteration:
            return
        except Exception:
            log.exception("a stream could not be written to")
        step.close()
        self.drop(stream)

    def end(self, stream: Stream) -> None:
        self.leave(stream)
        self.push(stream, b"", more=False)

    def drop(self, stream: Stream) -> None:
        """Cut a reader that does not read; its browser comes back and catches up."""
        self.leave(stream)
        log.info("dropped a stream whose reader does not read")
        transport = getattr(getattr(stream.send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()  # ASGI has no word for it: its own end of an answer would wait for the reader

    def tell(self, key, data: bytes) -> None:
        for stream in list(self.streams.get(key, ())):
            self.push(stream, data)

    def tell_all(self, data: bytes, of=None) -> None:
        """Tell every page, or those whose key is `of`."""
        for key in [key for key in self.streams if of is None or of(key)]:
            self.tell(key, data)

    async def _beat(self):
        """One timer for all pages: a comment every 15 seconds, and the end of a leave that has run out."""
        turn = 0
        while True:
            await asyncio.sleep(1.0)
            turn = (turn + 1) % HEARTBEAT
            now = time.time()
            if turn == 0:
                await asyncio.to_thread(count.say, len(self))
            for stream in list(self.buckets[turn]):
                if stream.until < now:
                    self.end(stream)
                else:
                    self.push(stream, b":\n\n")

    # Listening

    async def _listen_for_ever(self):
        pause = FIRST_PAUSE
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**self.address(), autocommit=True) as db:
                    await db.execute(f"LISTEN {CARDS}")
                    await db.execute(f"LISTEN {INCIDENTS}")
                    pause = FIRST_PAUSE
                    self.since = time.time()
                    self.above = {}
                    self.tell_all(event("resync"))
                    await self._listen(db)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("the connection that listens was lost: %s", str(error).strip().partition("\n")[0])
            except Exception:
                log.exception("a notification could not be passed on; listening anew, and every page looks for itself")
            finally:
                self.since = None
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _listen(self, db):
        """Pass on what is heard, all that has come meanwhile at once."""
        while True:
            heard = [said async for said in db.notifies(timeout=PULSE, stop_after=1)]
            async with asyncio.timeout(ANSWER):
                if heard:
                    await self._pass_on(db, heard)
                else:
                    await db.execute("SELECT 1")  # a connection cut without a word is found out here
                if time.monotonic() - self.asked > LEAVES_EVERY:
                    await self._end_what_is_lost(db)

    async def _pass_on(self, db, heard):
        cards = [payload for said in heard if said.channel == CARDS and (payload := _read(said))]
        incidents = [payload for said in heard if said.channel == INCIDENTS and (payload := _read(said))]
        if cards:
            await self._cards(db, cards)
        if incidents:
            await self._incidents(db, incidents)

    async def _cards(self, db, payloads):
        months: dict[str, set[int] | None] = {}
        for payload in payloads:
            month, units = payload.get("m"), payload.get("u")
            if month is None:
                self.changed[EVERY_MONTH] = time.time()
                self.tell_all(event("resync"), lambda key: isinstance(key, tuple))
                return
            self.changed[month] = time.time()
            if units is None or months.get(month, ()) is None:
                months[month] = None
            else:
                months.setdefault(month, set()).update(units)
        for month, units in months.items():
            if units is None:
                self.tell_all(event("resync"), lambda key, month=month: isinstance(key, tuple) and key[1] == month)
            else:
                await self._cards_of(db, month, units)

    async def _cards_of(self, db, month: str, changed: set[int]):
        """Each page hears of its own card and of those below it: their lights and scores, in one event."""
        shown = [key[0] for key in self.streams if isinstance(key, tuple) and key[1] == month]
        if not shown:
            return
        asked = {"month": f"{month}-01", "changed": list(changed), "shown": shown}
        cursor = await db.cursor(row_factory=namedtuple_row).execute(CHANGED_CARDS, asked)
        found = defaultdict(list)
        for row in await cursor.fetchall():
            for unit in {row.unit_id, row.parent_id}:
                if (unit, month) in self.streams:
                    found[unit].append(card_said(row))
        for unit, cards in found.items():
            self.tell((unit, month), event("cards", month=month, unit=unit, cards=cards))

    async def _incidents(self, db, payloads):
        self.changed[INCIDENTS] = time.time()
        boards = {key for key in self.streams if isinstance(key, int)}
        if not boards:
            return
        if any(payload.get("i") is None for payload in payloads):
            self.tell_all(event("resync"), lambda key: isinstance(key, int))
            return
        happened = [incident for payload in payloads for incident in payload["i"]]
        if any(territory is not None and territory not in self.above for _id, _on, territory, _category in happened):
            await self._learn_territories(db)
        count: dict[int, int] = defaultdict(int)
        for _id, _on, territory, _category in happened:
            for place in self.roots if territory is None else self.above.get(territory, ()):
                count[place] += 1
        for place in boards & count.keys():
            self.tell(place, event("incidents", n=count[place]))

    async def _learn_territories(self, db):
        cursor = await db.execute("SELECT id, parent_id FROM units_territory")
        parents = dict(await cursor.fetchall())
        self.above = {place: _way_up(place, parents) for place in parents}
        self.roots = tuple(place for place, parent in parents.items() if parent is None)


def _way_up(place: int, parents: dict) -> tuple[int, ...]:
    way = []
    while place is not None and place not in way:
        way.append(place)
        place = parents.get(place)
    return tuple(way)


def _read(said):
    try:
        payload = json.loads(said.payload)
    except ValueError:
        payload = None
    if isinstance(payload, dict):
        return payload
    log.error("a notification on %s is not understood: %.100r", said.channel, said.payload)
    return None


def card_said(row) -> dict:
    """A card as a page is told of it: the name of its light as scorecard.components.card_band has it, and its marks."""
    name = LIGHTS.get(row.light) or ("no_data" if row.is_due else "not_applicable")
    is_painted = name in ("green", "amber", "red")
    marks = "-provisional" * (is_painted and row.is_provisional) + "-red" * (name == "green" and row.has_red)
    return {"unit": row.unit_id, "code": row.code, "light": name + marks, "score": row.score, "digest": str(row.digest)}


def database_address() -> dict:
    """How the site's own database is reached, for a connection of our own."""
    given = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {name: given[key] for name, key in names.items() if given.get(key)}
    found |= {name: value for name, value in given.get("OPTIONS", {}).items() if name in LIBPQ}
    return {**found, "application_name": APPLICATION, "connect_timeout": 5, "keepalives_idle": 20}


hub = Hub()
