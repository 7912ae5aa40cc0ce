"""An HTTP proxy between a client and a server that injects network and server faults.

It runs in its own thread, keeps connections alive, and forwards requests unchanged unless a rule matches them. Even the ``Host``
header is unchanged, so signatures stay valid. The proxy records every request as it arrives. ``proxy_faults`` has the faults.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from io import BytesIO
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

_HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Expect", "Date", "Server")
_MAX_LINE = 32_768

T = TypeVar("T")


@dataclass
class RecordedRequest:
    """A request as it arrived, and the status of its response (None while there is no response)."""

    method: str
    path: str
    headers: CIMultiDict[str]
    status: int | None = None

    @property
    def conditional(self) -> bool:
        return "If-Match" in self.headers or "If-None-Match" in self.headers


@dataclass
class Response:
    """A response to the client."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class Exchange:
    """One request, as a fault gets it."""

    def __init__(self, proxy: FaultProxy, request: web.Request, recorded: RecordedRequest) -> None:
        self.proxy = proxy
        self.request = request
        self.recorded = recorded
        self.headers = CIMultiDict(request.headers)
        self._body: bytes | None = None

    async def body(self) -> bytes:
        if self._body is None:
            self._body = await self.request.content.read()
        return self._body

    def replace_body(self, body: bytes) -> None:
        self._body = body

    async def forward(self) -> Response:
        """Forward the request to the server, and return its response."""
        return await self.proxy.forward(self)

    async def send(self, response: Response) -> web.StreamResponse:
        """Send the response to the client."""
        self.recorded.status = response.status
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    async def send_part(self, response: Response, length: int) -> web.StreamResponse:
        """Send the client the headers and the first bytes of the body, and close the connection."""
        self.recorded.status = response.status
        stream = web.StreamResponse(status=response.status, headers=response.headers)
        stream.content_length = len(response.body)
        await stream.prepare(self.request)
        await stream.write(response.body[:length])
        transport = self.request.transport
        if transport:
            transport.close()  # not abort: the written bytes must arrive
        return stream

    async def send_raw(self, response: Response) -> web.StreamResponse:
        """Send the response with exactly its own headers, even malformed ones, and close the connection."""
        self.recorded.status = response.status
        head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
        body = b"" if self.request.method == "HEAD" else response.body
        transport = self.request.transport
        if transport:
            transport.write(
                f"HTTP/1.1 {response.status} OK\r\n{head}Connection: close\r\n\r\n".encode() + body
            )
            transport.close()
        return web.Response()

    def break_connection(self) -> web.StreamResponse:
        """Abort the connection without a response."""
        transport = self.request.transport
        if transport:
            transport.abort()
        return web.Response()


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]
Matcher = Callable[[RecordedRequest], bool]


@dataclass
class Rule:
    """A fault for ``times`` of the matching requests (None: all), from the ``nth`` one on."""

    matcher: Matcher
    fault: Fault
    nth: int = 1
    times: int | None = 1
    count: int = 0

    def matches(self, recorded: RecordedRequest) -> bool:
        if not self.matcher(recorded):
            return False
        self.count += 1
        return self.count >= self.nth and (self.times is None or self.count < self.nth + self.times)


def requests(
    method: str | None = None, path: str = "", *, header: str | None = None, value: str = ""
) -> Matcher:
    """Matches by method, by a part of the path, and by a header whose value starts with ``value``."""

    def matches(recorded: RecordedRequest) -> bool:
        return (
            method in (None, recorded.method)
            and path in recorded.path
            and (
                header is None or (header in recorded.headers and recorded.headers[header].startswith(value))
            )
        )

    return matches


@dataclass
class FaultProxy:
    """The proxy in front of the server at ``target``. Use it as a context manager."""

    target: str
    recorded: list[RecordedRequest] = field(default_factory=list)
    url: str = ""
    failures: list[Exception] = field(default_factory=list)
    """The proxy's own errors. Each test must end with none."""

    def __post_init__(self) -> None:
        self._rules: list[Rule] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        self._late: set[asyncio.Task[Any]] = set()

    def on(self, matcher: Matcher, fault: Fault, *, nth: int = 1, times: int | None = 1) -> None:
        """Inject the fault into matching requests. The first of several rules that match applies."""
        self._rules.append(Rule(matcher, fault, nth, times))

    def count(self, method: str | None = None, path: str = "") -> int:
        """The number of such requests since the last ``reset``."""
        matches = requests(method, path)
        return sum(matches(each) for each in self.recorded)

    def reset(self) -> None:
        """Remove all rules and all recorded requests."""
        self._rules.clear()
        self.recorded.clear()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run the work in the background until ``settle``."""
        task = self._loop.create_task(work)
        self._late.add(task)

    def settle(self) -> None:
        """Wait for all background work to end."""
        self.run(self._settle())

    async def _settle(self) -> None:
        while self._late:
            await self._late.pop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the work in the proxy's event loop, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def forward(self, exchange: Exchange) -> Response:
        body = await exchange.body()
        headers = CIMultiDict(
            (name, value) for name, value in exchange.headers.items() if name not in _HOP_BY_HOP
        )
        headers.popall("Content-Length", None)
        async with self._client.request(
            exchange.request.method,
            URL(self.target + exchange.request.raw_path, encoded=True),
            headers=headers,
            data=BytesIO(body) if exchange.request.method in ("PUT", "POST") else None,
            allow_redirects=False,
        ) as received:
            response = Response(received.status, CIMultiDict(received.headers), await received.read())
        for name in _HOP_BY_HOP:
            response.headers.popall(name, None)
        return response

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        recorded = RecordedRequest(request.method, request.raw_path, CIMultiDict(request.headers))
        self.recorded.append(recorded)
        exchange = Exchange(self, request, recorded)
        rule = next((rule for rule in list(self._rules) if rule.matches(recorded)), None)
        try:
            if rule:
                return await rule.fault(exchange)
            return await exchange.send(await exchange.forward())
        except ConnectionError:  # the client has disconnected
            return exchange.break_connection()
        except Exception as error:
            self.failures.append(error)
            raise

    async def _start(self) -> None:
        self._client = ClientSession(
            # A new connection for each request: aiohttp repeats a request when a kept-alive connection breaks.
            connector=TCPConnector(limit=0, force_close=True),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
        )
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen(0)
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _listen(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()

    def refuse_connections(self) -> None:
        """Stop listening, so that new connections are refused."""
        self.run(self._site.stop())

    def accept_connections(self) -> None:
        """Listen again on the same port."""
        self.run(self._listen(int(self.url.rpartition(":")[2])))

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._client.close()
        unfinished = asyncio.all_tasks() - {asyncio.current_task()}  # faults that never respond
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
