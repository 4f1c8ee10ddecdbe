"""A client of its own process that posts bodies over kept connections, in turn, and counts what was answered.

argv: port, path, authorization header, connections, seconds (0: every body once), file of bodies, each as its length in
8 bytes and itself. Prints answers a second. See incidents.py.
"""

import http.client
import sys
import threading
import time
from itertools import count
from pathlib import Path


def bodies_of(path):
    data, at, found = Path(path).read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "big")
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def drive(port, path, authorization, connections, seconds, bodies):
    """Answers a second; anything but 200 ends it."""
    following, done, wrong = count(), [0] * connections, []
    begun = time.perf_counter()

    def post(n):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not wrong and (not seconds or time.perf_counter() - begun < seconds):
            at = next(following)
            if at >= len(bodies):
                break
            kind = "application/x-ndjson" if b"\n" in bodies[at][:-1] else "application/json"
            link.request("POST", path, bodies[at], {"Authorization": authorization, "Content-Type": kind})
            response = link.getresponse()
            answer = response.read()
            if response.status != 200:
                wrong.append(f"answered {response.status}: {answer[:300]!r}")
            done[n] += 1

    threads = [threading.Thread(target=post, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(wrong[0])
    return sum(done) / (time.perf_counter() - begun)


if __name__ == "__main__":
    _, port, path, authorization, connections, seconds, file = sys.argv
    rate = drive(int(port), path, authorization, int(connections), float(seconds), bodies_of(file))
    sys.stdout.write(str(rate))
