"""An HTTP session of botocore that limits the time of a whole response, and sends a small body at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from botocore.exceptions import ReadTimeoutError
from urllib3.exceptions import ReadTimeoutError as PoolReadTimeoutError

from sessionbucket._backends.time_limits import TimeLimit, request_seconds

_CHUNK = 1 << 16
_LARGE_BODY = 1 << 20
"""From this size on, and for a body of unknown size, a request asks the server before it sends the body."""


class TimedSession:
    """Sends requests by botocore's own session, and limits the time in which the body of a response arrives.

    The timeout of botocore is that of one read from the connection. A server that sends a byte now and then never exceeds it.
    The limit does not include the headers, which Python's HTTP client reads line by line.

    Before each body, botocore waits for ``100 Continue``, which takes a round trip. This session sends a small body without it.
    """

    def __init__(self, session: Any, *, connect_timeout: float, read_timeout: float) -> None:
        self._session = session
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout

    def send(self, request: Any) -> Any:
        if int(request.headers.get("Content-Length", _LARGE_BODY)) < _LARGE_BODY:
            request.headers.pop("Expect", None)  # it is not signed
        started = time.monotonic()
        streams, request.stream_output = request.stream_output, True  # otherwise botocore reads the body here
        response = self._session.send(request)
        body = request.body
        sending = len(body) if isinstance(body, bytes | bytearray) else 0
        seconds = request_seconds(self._connect_timeout, self._read_timeout, sending=sending)
        limit = TimeLimit(seconds, spent=time.monotonic() - started)
        response.raw = _TimedBody(response.raw, limit, request.url)
        if not streams:
            response.content  # noqa: B018 (reads the body)
        return response

    def close(self) -> None:
        self._session.close()


class _TimedBody:
    """The body of a response: urllib3's, read within the limit."""

    def __init__(self, raw: Any, limit: TimeLimit, url: str) -> None:
        self._raw = raw
        self._limit = limit
        self._url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def read(self, amt: int | None = None) -> bytes:
        body = BytesIO()
        while amt is None or body.tell() < amt:
            chunk = self._read_once(_CHUNK if amt is None else amt - body.tell())
            if not chunk:
                break
            body.write(chunk)
        return body.getvalue()

    def stream(self) -> Iterator[bytes]:
        yield self.read()

    def _read_once(self, most: int) -> bytes:
        if self._limit.left <= 0:
            raise ReadTimeoutError(endpoint_url=self._url)
        sock = getattr(self._raw.connection, "sock", None)
        if sock is not None:
            sock.settimeout(self._limit.left)
        started = time.monotonic()
        try:
            chunk: bytes = self._raw.read1(most)
        except PoolReadTimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
        self._limit.spend(time.monotonic() - started, len(chunk))
        return chunk
