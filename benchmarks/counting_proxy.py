"""A server in front of another one that counts the requests, for servers that count none. Timed requests do not pass it."""

from __future__ import annotations

import http.client
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.servers import Server

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class CountingProxy:
    """Use it as a context manager. ``server`` is the server for clients."""

    def __init__(self, target: Server) -> None:
        self._count: Counter[str] = Counter()
        address = urlsplit(target.endpoint_url).netloc
        count = self._count

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self) -> None:
                count[_class_of(self.command, self.path)] += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection(address)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"connection", "expect"}:
                        connection.putheader(name, value)
                connection.endheaders(body)
                response = connection.getresponse()
                found = response.read()
                self.send_response(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                length = response.headers.get("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(found)))
                self.end_headers()
                self.wfile.write(found)
                connection.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._proxy.daemon_threads = True
        self._thread = Thread(target=self._proxy.serve_forever, daemon=True)
        self.server = Server(target.name, f"http://127.0.0.1:{self._proxy.server_port}")

    def count(self, act: Any) -> dict[str, int]:
        """The requests of a call, by price class."""
        self._count.clear()
        act()
        return dict(self._count)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.shutdown()
        self._thread.join()
        self._proxy.server_close()


def _class_of(method: str, path: str) -> str:
    place, _, query = path.partition("?")
    if method == "GET" and "/" not in place.strip("/"):
        return "LIST"  # every read of a bucket itself
    if method == "POST" and query.partition("&")[0].partition("=")[0] == "delete":
        return "DELETE"
    return method
