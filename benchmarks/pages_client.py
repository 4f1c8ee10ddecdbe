"""A client of its own process: eight connections, each asking again as soon as it was answered. See pages.py."""

import selectors
import socket
import sys
import time

CONNECTIONS = 8


def drive(port, session, seconds, requests, paths):
    """Requests a second, over so many seconds or so many requests; anything but 200 ends it."""
    asked = [
        f"GET {path} HTTP/1.0\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n".encode() for path in paths
    ]
    selector = selectors.DefaultSelector()
    started = done = 0

    def ask():
        nonlocal started
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(asked[started % len(asked)])
        started += 1
        selector.register(connection, selectors.EVENT_READ, bytearray())

    for _ in range(CONNECTIONS):
        ask()
    begun = time.perf_counter()
    while (done < requests) if requests else (time.perf_counter() - begun < seconds):
        for key, _ in selector.select(5):
            part = key.fileobj.recv(1 << 16)
            if part:
                key.data.extend(part)
                continue
            selector.unregister(key.fileobj)
            key.fileobj.close()
            if b" 200 " not in key.data[:16]:
                raise SystemExit(f"answered {bytes(key.data[:80])!r}")
            done += 1
            ask()
    return done / (time.perf_counter() - begun)


if __name__ == "__main__":
    _, port, session, seconds, requests, *paths = sys.argv
    sys.stdout.write(str(drive(int(port), session, float(seconds), int(requests), paths)))
