"""A client of its own process: many open event streams, and events posted at a rate; how long until the light comes.

Standard input: JSON of {port, posting, authorization, path, tickets: [[unit, ticket, longitude, latitude]...], item,
first, rate, together, seconds, idle}: `port` holds the streams, `posting` takes the bodies of `together` events, `rate`
events a second. Each event is in a unit whose page waits for no other, so that the next `cards` event of the page can
be of this event alone; where every page waits, the next event does too, and the rate falls. Latency is from the POST's
answer (0 where the light was faster). Prints JSON {latencies (s), missed, posts, errors, again, rate, open}.
"""

import asyncio
import json
import sys
import time
from collections import deque

PATIENCE = 10.0  # seconds after which a light is given up


class Streams:
    """Open pages: which unit each shows, and who waits for a unit's next event."""

    def __init__(self):
        self.waiting, self.open = {}, 0

    async def hold(self, port, unit, ticket, ready):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 14)
        writer.write(f"GET /live/events?ticket={ticket} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if b" 200 " not in await reader.readline():
            raise SystemExit("a stream was refused")
        self.open += 1
        ready.release()
        name = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name == b"cards":
                self.heard(unit)
        self.open -= 1

    def heard(self, unit):
        future = self.waiting.pop(unit, None)
        if future is not None:
            future.set_result(time.perf_counter())


class Poster:
    """Bodies over kept connections, one after the other on each."""

    def __init__(self, port, path, authorization):
        self.head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n"
        self.port, self.free, self.errors, self.again = port, asyncio.LifoQueue(), [], 0

    async def post(self, body):
        """When the answer was there. A connection that breaks is tried again, as a feed does: nothing counts twice."""
        try:
            return await self._post(body)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.again += 1
            return await self._post(body)

    async def _post(self, body):
        reader, writer = self.free.get_nowait() if not self.free.empty() else await self._connect()
        writer.write(
            f"{self.head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        status = await reader.readline()
        size, closes = 0, False
        while (line := await reader.readline()) not in (b"\r\n", b""):
            key, _, value = line.partition(b":")
            if key.lower() == b"content-length":
                size = int(value)
            closes |= key.lower() == b"connection" and b"close" in value
        answer = await reader.readexactly(size)
        done = time.perf_counter()
        if b" 200 " not in status or b'"refused":0' not in answer.replace(b" ", b""):
            self.errors.append((status + answer)[:300].decode(errors="replace"))
        if closes:
            writer.close()
        else:
            self.free.put_nowait((reader, writer))
        return done

    async def _connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)


async def drive(port, posting, authorization, path, tickets, item, first, rate, together, seconds, idle=False):
    streams, ready = Streams(), asyncio.Semaphore(0)
    holders = []
    for n, (unit, ticket, *_point) in enumerate(tickets):
        holders.append(asyncio.create_task(streams.hold(port, unit, ticket, ready)))
        if n % 100 == 99:
            await asyncio.sleep(0.05)
    for _ in tickets:
        await ready.acquire()
    if idle:
        sys.stdout.write(json.dumps({"open": streams.open}) + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        return {}
    poster = Poster(posting, path, authorization)
    latencies, missed = [], []

    free = deque(tickets)

    async def one(chosen, n):
        waiting, items = {}, []
        for k, (unit, _ticket, x, y) in enumerate(chosen):
            streams.waiting[unit] = waiting[unit] = asyncio.get_running_loop().create_future()
            items.append({**item, "external_id": f"L{n + k}", "longitude": x, "latitude": y})
        answered = await poster.post(json.dumps(items if len(items) > 1 else items[0]).encode())
        await asyncio.wait(waiting.values(), timeout=PATIENCE)
        for page in chosen:
            if waiting[page[0]].done():
                latencies.append(max(0.0, waiting[page[0]].result() - answered))
                free.append(page)  # a page whose light never came is asked no more: it might come yet
            else:
                missed.append(page[0])

    start, tasks, sent = time.perf_counter(), set(), first
    while (now := time.perf_counter() - start) < seconds:
        if (sent - first) / rate > now or len(free) < together:
            await asyncio.sleep(0.001)
            continue
        tasks.add(asyncio.create_task(one([free.popleft() for _ in range(together)], sent)))
        sent += together
    posted = time.perf_counter() - start
    await asyncio.gather(*tasks)
    return {"latencies": latencies, "missed": len(missed), "posts": len(tasks), "errors": poster.errors[:3],
            "again": poster.again, "rate": (sent - first) / posted, "open": streams.open}  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(drive(**json.loads(sys.stdin.readline())))) + "\n")
    sys.stdout.flush()
