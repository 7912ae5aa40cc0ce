"""An HTTP proxy that stands between a client and a server and does what networks and servers do on bad days.

It runs in a thread of its own, keeps connections alive, and passes requests on unchanged (the ``Host`` header too, so
that signatures hold) unless a rule says otherwise. Every request is recorded as it arrives. The faults that a rule can
name are in ``misfortunes``.
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
class Seen:
    """A request as it arrived, and the status it was answered with (None while there is no answer)."""

    method: str
    path: str
    headers: CIMultiDict[str]
    status: int | None = None

    @property
    def conditional(self) -> bool:
        return "If-Match" in self.headers or "If-None-Match" in self.headers


@dataclass
class Answer:
    """What goes back to the client."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class Exchange:
    """One request on its way, in the hands of a fault."""

    def __init__(self, proxy: FaultProxy, request: web.Request, seen: Seen) -> None:
        self.proxy = proxy
        self.request = request
        self.seen = seen
        self.headers = CIMultiDict(request.headers)
        self._body: bytes | None = None

    async def body(self) -> bytes:
        if self._body is None:
            self._body = await self.request.content.read()
        return self._body

    def replace_body(self, body: bytes) -> None:
        self._body = body

    async def forward(self) -> Answer:
        """Have the server act, and give its answer."""
        return await self.proxy.forward(self)

    async def send(self, answer: Answer) -> web.StreamResponse:
        """Give the client the answer."""
        self.seen.status = answer.status
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def send_part(self, answer: Answer, length: int) -> web.StreamResponse:
        """Give the client the headers and the first bytes of the body, and break the connection."""
        self.seen.status = answer.status
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(self.request)
        await response.write(answer.body[:length])
        transport = self.request.transport
        if transport:
            transport.close()  # what was written arrives
        return response

    def break_connection(self) -> web.StreamResponse:
        """Leave the client without an answer."""
        transport = self.request.transport
        if transport:
            transport.abort()
        return web.Response()


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]
Matcher = Callable[[Seen], bool]


@dataclass
class Rule:
    """From the ``nth`` request that matches on, the fault befalls ``times`` of them (None: all)."""

    matches: Matcher
    fault: Fault
    nth: int = 1
    times: int | None = 1
    met: int = 0

    def befalls(self, seen: Seen) -> bool:
        if not self.matches(seen):
            return False
        self.met += 1
        return self.met >= self.nth and (self.times is None or self.met < self.nth + self.times)


def requests(
    method: str | None = None, path: str = "", *, header: str | None = None, value: str = ""
) -> Matcher:
    """Matches by method, by a part of the path, and by a header that is there (and starts with ``value``)."""

    def matches(seen: Seen) -> bool:
        return (
            method in (None, seen.method)
            and path in seen.path
            and (header is None or (header in seen.headers and seen.headers[header].startswith(value)))
        )

    return matches


@dataclass
class FaultProxy:
    """The proxy in front of the server at ``target``. Use it as a context manager."""

    target: str
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    failures: list[Exception] = field(default_factory=list)
    """The proxy's own errors, which no test may overlook."""

    def __post_init__(self) -> None:
        self._rules: list[Rule] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        self._late: set[asyncio.Task[Any]] = set()

    def on(self, matches: Matcher, fault: Fault, *, nth: int = 1, times: int | None = 1) -> None:
        """Let the fault befall requests that match. Of several rules the first that applies is taken."""
        self._rules.append(Rule(matches, fault, nth, times))

    def count(self, method: str | None = None, path: str = "") -> int:
        """How many such requests have arrived since the last ``reset``."""
        matches = requests(method, path)
        return sum(matches(each) for each in self.seen)

    def reset(self) -> None:
        """Forget all rules and all requests."""
        self._rules.clear()
        self.seen.clear()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do the work though nobody waits for it; ``settle`` does."""
        task = self._loop.create_task(work)
        self._late.add(task)

    def settle(self) -> None:
        """Wait until all that was left for later is done."""
        self.run(self._settle())

    async def _settle(self) -> None:
        while self._late:
            await self._late.pop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work in the proxy's own loop, and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def forward(self, exchange: Exchange) -> Answer:
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
        ) as response:
            answer = Answer(response.status, CIMultiDict(response.headers), await response.read())
        for name in _HOP_BY_HOP:
            answer.headers.popall(name, None)
        return answer

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.method, request.raw_path, CIMultiDict(request.headers))
        self.seen.append(seen)
        exchange = Exchange(self, request, seen)
        rule = next((rule for rule in list(self._rules) if rule.befalls(seen)), None)
        try:
            if rule:
                return await rule.fault(exchange)
            return await exchange.send(await exchange.forward())
        except ConnectionError:  # the client has gone
            return exchange.break_connection()
        except Exception as error:
            self.failures.append(error)
            raise

    async def _start(self) -> None:
        self._client = ClientSession(
            # A connection for each request: aiohttp would repeat a request on a kept one that broke.
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
        """Refuse new connections from now on."""
        self.run(self._site.stop())

    def accept_connections(self) -> None:
        """Take new connections again."""
        self.run(self._listen(int(self.url.rpartition(":")[2])))

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

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
