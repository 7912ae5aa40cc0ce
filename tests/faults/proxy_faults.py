"""The faults of the proxy."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import threading
import zlib
from collections.abc import Callable, Mapping

from aiohttp import web
from multidict import CIMultiDict

from faults.proxy import Exchange, Fault, Response


async def drop_response(exchange: Exchange) -> web.StreamResponse:
    """The server acts, and its response is lost."""
    await exchange.forward()
    return exchange.break_connection()


def drop_response_after(then: Callable[[], object]) -> Fault:
    """The server acts and ``then`` runs, before the connection to the client breaks."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.forward()
        await asyncio.to_thread(then)
        return exchange.break_connection()

    return fault


def before(then: Callable[[], object], fault: Fault) -> Fault:
    """``then`` runs while the request is under way, before the fault."""

    async def preceded(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(then)
        return await fault(exchange)

    return preceded


async def pass_on(exchange: Exchange) -> web.StreamResponse:
    """No fault."""
    return await exchange.send(await exchange.forward())


async def drop_request(exchange: Exchange) -> web.StreamResponse:
    """The request is lost before it reaches the server."""
    await exchange.body()
    return exchange.break_connection()


async def reset_upload(exchange: Exchange) -> web.StreamResponse:
    """The connection breaks after the first bytes of the body."""
    await exchange.request.content.readany()
    return exchange.break_connection()


async def never_respond(exchange: Exchange) -> web.StreamResponse:
    """The connection stays open without a response."""
    await exchange.body()
    await asyncio.Event().wait()
    raise AssertionError


async def act_and_never_respond(exchange: Exchange) -> web.StreamResponse:
    """The server acts, and the connection stays open without a response."""
    await exchange.forward()
    return await never_respond(exchange)


class DeliverLate:
    """The connection breaks, and the request reaches the server only after ``release``."""

    def __init__(self) -> None:
        self._released = threading.Event()
        self.responses: list[Response] = []

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        exchange.proxy.later(self._deliver(exchange))
        return exchange.break_connection()

    async def _deliver(self, exchange: Exchange) -> None:
        await asyncio.to_thread(self._released.wait)
        self.responses.append(await exchange.forward())

    def release(self) -> None:
        self._released.set()


def error_response(
    exchange: Exchange, status: int, code: str, headers: Mapping[str, str] | None = None
) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>as scripted</Message></Error>'
    return Response(
        status,
        CIMultiDict({"Content-Type": "application/xml", **(headers or {})}),
        b"" if exchange.request.method == "HEAD" else body.encode(),
    )


def respond(status: int, code: str, headers: Mapping[str, str] | None = None) -> Fault:
    """The server does nothing and responds with this error, in the form of S3."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        return await exchange.send(error_response(exchange, status, code, headers))

    return fault


def succeed_with(body: str) -> Fault:
    """The server does nothing and responds 200 with this body."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        headers = CIMultiDict({"Content-Type": "application/xml"})
        return await exchange.send(Response(200, headers, body.encode()))

    return fault


def act_and_respond(status: int, code: str) -> Fault:
    """The server acts, and the response is this error all the same, as from a gateway in between."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.forward()
        return await exchange.send(error_response(exchange, status, code))

    return fault


def break_off(status: int, code: str, *, acted: bool = False) -> Fault:
    """The server acts, or not, and the body of its error breaks off."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await (exchange.forward() if acted else exchange.body())
        return await exchange.send_part(error_response(exchange, status, code), 60)

    return fault


def cut_body(length: int) -> Fault:
    """The body ends early."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        return await exchange.send_part(await exchange.forward(), length)

    return fault


async def corrupt_body(exchange: Exchange) -> web.StreamResponse:
    """One bit of the response's body is wrong. The headers have the checksum of the right body, as at AWS."""
    received = await exchange.forward()
    if received.status != 200 or not received.body:
        return await exchange.send(received)
    crc = zlib.crc32(received.body).to_bytes(4, "big")
    received.headers["x-amz-checksum-crc32"] = base64.b64encode(crc).decode()
    received.body = _damaged(received.body)
    return await exchange.send(received)


async def corrupt_upload(exchange: Exchange) -> web.StreamResponse:
    """One bit of the request's body is wrong when it reaches the server."""
    exchange.replace_body(_damaged(await exchange.body()))
    return await exchange.send(await exchange.forward())


def _damaged(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def strip(*names: str) -> Fault:
    """The request reaches the server without these headers."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        for name in names:
            exchange.headers.popall(name, None)
        return await exchange.send(await exchange.forward())

    return fault


def rename_response_headers(rename: Callable[[str], str | None]) -> Fault:
    """The response has its headers under other names, or without those whose new name is None."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        renamed = [(rename(name), value) for name, value in received.headers.items()]
        received.headers = CIMultiDict((name, value) for name, value in renamed if name)
        return await exchange.send(received)

    return fault


class Chaos:
    """Injects one of the faults into a share of the requests, drawn from a seed."""

    def __init__(self, seed: int, rate: float, faults: list[Fault]) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._faults = faults

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        hit = self._random.random() < self._rate
        fault = self._random.choice(self._faults) if hit else pass_on
        return await fault(exchange)


def respond_with_other_etags(headers: Mapping[str, str]) -> Fault:
    """The server's ETags have the form of MD5s but are none, and its responses have these headers."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        response = await exchange.forward()
        response.headers.update(headers)
        response.headers["ETag"] = f'"{hashlib.md5(response.headers["ETag"].encode()).hexdigest()}"'
        return await exchange.send(response)

    return fault


HTML = b"<!DOCTYPE html><html><body><h1>404 Not Found</h1><p>nginx</p></body></html>"


def respond_with_page(status: int) -> Fault:
    """A proxy in between responds with a page of HTML, and the server does nothing."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        headers = CIMultiDict({"Content-Type": "text/html"})
        body = b"" if exchange.request.method == "HEAD" else HTML
        return await exchange.send(Response(status, headers, body))

    return fault


def weaken_etags() -> Fault:
    """A compressing proxy marks every ETag as a weak one."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        if "ETag" in received.headers:
            received.headers["ETag"] = f"W/{received.headers['ETag']}"
        return await exchange.send(received)

    return fault


def change_response(change: Callable[[Response], None]) -> Fault:
    """``change`` edits the server's response, which reaches the client as raw bytes. Its connection closes at the end."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        received.headers.setdefault("Content-Length", str(len(received.body)))
        received.headers.setdefault("Date", "Tue, 24 Nov 2026 20:00:00 GMT")
        change(received)
        return await exchange.send_raw(received)

    return fault


class Drip:
    """The body of the response arrives one byte at a time, and never ends before the client does."""

    def __init__(self, pause: float = 0.1) -> None:
        self._pause = pause
        self.has_ended = False

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        exchange.recorded.status = received.status
        body = received.body + b" " * 1000
        stream = web.StreamResponse(status=received.status, headers=received.headers)
        stream.content_length = len(body)
        await stream.prepare(exchange.request)
        for place in range(len(body)):
            await stream.write(body[place : place + 1])
            await asyncio.sleep(self._pause)
        self.has_ended = True
        return stream


def stall_after(length: int) -> Fault:
    """The response's body stops after its first bytes, and the connection stays open."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        stream = web.StreamResponse(status=received.status, headers=received.headers)
        stream.content_length = len(received.body)
        await stream.prepare(exchange.request)
        await stream.write(received.body[:length])
        await asyncio.Event().wait()
        raise AssertionError

    return fault


async def accept_bare_etags_only(exchange: Exchange) -> web.StreamResponse:
    """The server compares If-Match with the ETag without its quotes, as Ceph RGW 16 does."""
    etag = exchange.headers.get("If-Match", "")
    if etag.startswith('"'):
        return await respond(412, "PreconditionFailed")(exchange)
    if etag:
        exchange.headers["If-Match"] = f'"{etag}"'
    return await exchange.send(await exchange.forward())


def unquote_etags() -> Fault:
    """The server's ETag headers have no quotes."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        if "ETag" in received.headers:
            received.headers["ETag"] = received.headers["ETag"].strip('"')
        return await exchange.send(received)

    return fault
