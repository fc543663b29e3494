"""A local HTTP server that fails on demand: cut connections, wrong bytes, 503, silence, no ranges."""

import hashlib
import re
import threading
import time
from collections import defaultdict, deque
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ("cut", "corrupt", "503", "slow", "silent", "whole", "html", "404", "redirect")
"""cut: half of the bytes; corrupt: a changed byte; 503: with Retry-After 0; slow: a byte now and then; silent: nothing;
whole: everything in spite of Range; html: an error page with status 200; redirect: to the same path."""


class FaultServer:
    """Serves `files` (path to bytes) at `url`; `plan(path, "cut", "503")` makes its next two GETs fail in that way.

    With `always` a fault hits every GET of a path (or of all paths, ""). Use as a context manager.
    """

    def __init__(self, files):
        self.files = dict(files)
        self.requests = []
        self.etags = True
        self.bytes_per_second = None
        self.most_at_once = self._at_once = 0
        self._plans, self._always = defaultdict(deque), {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def plan(self, path, *faults):
        assert set(faults) <= {*FAULTS}
        self._plans[path].extend(faults)

    def always(self, fault, path=""):
        assert fault in FAULTS
        self._always[path] = fault

    def heal(self):
        self._plans.clear()
        self._always.clear()

    def gets(self, path):
        return [headers for method, where, headers in self.requests if method == "GET" and where == path]

    def __enter__(self):
        owner = self

        class Handler(_Handler):
            server_owner = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def fault(self, path):
        with self._lock:
            if self._plans[path]:
                return self._plans[path].popleft()
        return self._always.get(path, self._always.get(""))

    def count(self, change):
        with self._lock:
            self._at_once += change
            self.most_at_once = max(self.most_at_once, self._at_once)

    def pause(self, seconds):
        return self._closing.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_owner: FaultServer

    def log_message(self, *_):
        return

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        owner, path = self.server_owner, self.path.partition("?")[0]
        owner.requests.append((self.command, path, dict(self.headers)))
        owner.count(1)
        try:
            self._serve(path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            owner.count(-1)

    def _serve(self, path, body):
        owner = self.server_owner
        fault = owner.fault(path) if body else None
        data = owner.files.get(path)
        if fault == "html":
            return self._send(200, b"<html>please log in</html>")
        if data is None or fault == "404":
            return self._send(404, b"not here")
        if fault == "503":
            return self._send(503, b"later", {"Retry-After": "0"})
        if fault == "redirect":
            return self._send(302, b"", {"Location": path})
        if fault == "silent":
            owner.pause(30)
            self.close_connection = True
            return None
        if fault == "corrupt":
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1:]
        return self._send_range(data, fault, body)

    def _send_range(self, data, fault, body):
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"ETag": tag, "Last-Modified": formatdate(0, usegmt=True)} if self.server_owner.etags else {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, tag)
        start = int(asked[1]) if asked and same and fault != "whole" else 0
        if start and start >= len(data):
            return self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        status = 206 if start else 200
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return self._send(status, data[start:], headers, fault, body)

    def _send(self, status, data, headers=None, fault=None, body=True):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        if fault == "cut":
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
        elif fault == "slow":
            for byte in data:
                self.wfile.write(bytes([byte]))
                if self.server_owner.pause(0.05):
                    break
            self.close_connection = True
        elif self.server_owner.bytes_per_second:
            step = max(1, self.server_owner.bytes_per_second // 50)
            for start in range(0, len(data), step):
                self.wfile.write(data[start:start + step])
                time.sleep(0.02)
        else:
            self.wfile.write(data)
