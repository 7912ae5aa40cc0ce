"""A moto server in its own process, so that its CPU time does not count for a client. It counts the requests that it gets.

It serves one request at a time, because moto checks a condition and writes in two steps. ``GET /-/requests`` returns the
number of requests since the last such GET, by price class. The first line of output is the port.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

COUNTS = "/-/requests"


class Counting:
    """Counts the requests to the application."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._count: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNTS:
            body = json.dumps(self._count).encode()
            self._count.clear()
            start_response("200 OK", [("Content-Type", "application/json")])
            return [body]
        self._count[_class_of(environ)] += 1
        response: Iterable[bytes] = self._application(environ, start_response)
        return response


def _class_of(environ: dict[str, Any]) -> str:
    method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
    if method == "PUT" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
        return "COPY"
    if method == "GET" and "/" not in environ["PATH_INFO"].strip("/"):
        return "LIST"  # every read of a bucket itself
    if method == "POST" and query.partition("&")[0].partition("=")[0] == "delete":
        return "DELETE"
    return str(method)


class Quiet(WSGIRequestHandler):
    """A handler that logs no requests."""

    def log_request(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    server = make_server(
        "127.0.0.1", 0, Counting(DomainDispatcherApplication(create_backend_app)), request_handler=Quiet
    )
    print(server.server_port, flush=True)
    server.serve_forever()
