"""A little source of another institution: pages of items over HTTP, and whatever goes wrong with such sources."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Source:
    """Items in pages of `size`; `faults`: what to answer instead, in turn: (status, headers, body) or "die"."""

    def __init__(self, items=(), size=2, style="cursor"):
        self.items, self.size, self.style = list(items), size, style
        self.faults, self.asked, self.headers = [], [], []
        self.lock, self.gate = threading.Lock(), None

    def page(self, query):
        start = int(query.get("cursor", ["0"])[0]) if self.style == "cursor" else 0
        if self.style in ("page", "next_link"):
            start = (int(query.get("page", ["1"])[0]) - 1) * self.size
        found = self.items[start : start + self.size]
        is_more = start + self.size < len(self.items)
        following = None
        if is_more and self.style == "cursor":
            following = str(start + self.size)
        if is_more and self.style == "next_link":
            following = f"/items?page={start // self.size + 2}"
        return {"items": found, "next_cursor" if self.style == "cursor" else "next": following}

    @contextmanager
    def served(self):
        """Yields the address of the first page."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/items"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def handler_of(source):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            with source.lock:
                source.asked.append(self.path)
                source.headers.append(dict(self.headers))
                fault = source.faults.pop(0) if source.faults else None
            if source.gate is not None:
                source.gate.wait(10)
            if fault == "die":
                self.send_response(200)
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b'{"items": [{"external_id": "A')
                self.close_connection = True
                return
            if callable(fault):
                fault = fault()
            if fault is None:
                fault = (200, {}, json.dumps(source.page(parse_qs(urlsplit(self.path).query))).encode())
            status, headers, body = fault
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
