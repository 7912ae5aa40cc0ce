"""The faults that a rule of the proxy can name."""

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

from faults.proxy import Answer, Exchange, Fault


async def drop_answer(exchange: Exchange) -> web.StreamResponse:
    """The server acts, and its answer is lost."""
    await exchange.forward()
    return exchange.break_connection()


def drop_answer_after(then: Callable[[], object]) -> Fault:
    """The server acts, ``then`` happens, and only after that the client learns that there is no answer."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.forward()
        await asyncio.to_thread(then)
        return exchange.break_connection()

    return fault


def before(then: Callable[[], object], fault: Fault) -> Fault:
    """``then`` happens while the request is on its way, before the fault."""

    async def preceded(exchange: Exchange) -> web.StreamResponse:
        await asyncio.to_thread(then)
        return await fault(exchange)

    return preceded


async def pass_on(exchange: Exchange) -> web.StreamResponse:
    """No fault at all."""
    return await exchange.send(await exchange.forward())


async def drop_request(exchange: Exchange) -> web.StreamResponse:
    """The request is lost before the server sees it."""
    await exchange.body()
    return exchange.break_connection()


async def reset_upload(exchange: Exchange) -> web.StreamResponse:
    """The connection breaks after the first bytes of the body."""
    await exchange.request.content.readany()
    return exchange.break_connection()


async def never_answer(exchange: Exchange) -> web.StreamResponse:
    """The connection stays open, and nothing comes."""
    await exchange.body()
    await asyncio.Event().wait()
    raise AssertionError


async def act_and_never_answer(exchange: Exchange) -> web.StreamResponse:
    """The server acts, and nothing comes."""
    await exchange.forward()
    return await never_answer(exchange)


class DeliverLate:
    """The client loses its connection, and the request reaches the server only after ``release``."""

    def __init__(self) -> None:
        self._released = threading.Event()
        self.answers: list[Answer] = []

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        exchange.proxy.later(self._deliver(exchange))
        return exchange.break_connection()

    async def _deliver(self, exchange: Exchange) -> None:
        await asyncio.to_thread(self._released.wait)
        self.answers.append(await exchange.forward())

    def release(self) -> None:
        self._released.set()


def error_answer(
    exchange: Exchange, status: int, code: str, headers: Mapping[str, str] | None = None
) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>as scripted</Message></Error>'
    return Answer(
        status,
        CIMultiDict({"Content-Type": "application/xml", **(headers or {})}),
        b"" if exchange.request.method == "HEAD" else body.encode(),
    )


def answer(status: int, code: str, headers: Mapping[str, str] | None = None) -> Fault:
    """The server does nothing and answers so, as S3 writes its errors."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        return await exchange.send(error_answer(exchange, status, code, headers))

    return fault


def succeed_with(body: str) -> Fault:
    """The server does nothing and answers 200 with this body."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.body()
        headers = CIMultiDict({"Content-Type": "application/xml"})
        return await exchange.send(Answer(200, headers, body.encode()))

    return fault


def act_and_answer(status: int, code: str) -> Fault:
    """The server acts and answers so all the same, as a gateway in between does."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.forward()
        return await exchange.send(error_answer(exchange, status, code))

    return fault


def break_off(status: int, code: str, *, acted: bool = False) -> Fault:
    """The server acts, or not, and of its error's body only the beginning comes."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await (exchange.forward() if acted else exchange.body())
        return await exchange.send_part(error_answer(exchange, status, code), 60)

    return fault


def cut_body(length: int) -> Fault:
    """The body ends early."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        return await exchange.send_part(await exchange.forward(), length)

    return fault


async def corrupt_body(exchange: Exchange) -> web.StreamResponse:
    """One bit of the answer's body is wrong. Its checksum stands in the headers, as AWS has it there."""
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
    """The server does not see these headers."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        for name in names:
            exchange.headers.popall(name, None)
        return await exchange.send(await exchange.forward())

    return fault


def rename_answers(rename: Callable[[str], str | None]) -> Fault:
    """The client sees the headers of the answer under other names, or not (None)."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        received = await exchange.forward()
        renamed = [(rename(name), value) for name, value in received.headers.items()]
        received.headers = CIMultiDict((name, value) for name, value in renamed if name)
        return await exchange.send(received)

    return fault


class Chaos:
    """Now and then one of the faults, drawn from a seed; otherwise none."""

    def __init__(self, seed: int, rate: float, faults: list[Fault]) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._faults = faults

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        hit = self._random.random() < self._rate
        fault = self._random.choice(self._faults) if hit else pass_on
        return await fault(exchange)


def other_etags(headers: Mapping[str, str]) -> Fault:
    """No mishap: the server's ETags look like MD5s and are none, and its answers have these headers."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        answer = await exchange.forward()
        answer.headers.update(headers)
        answer.headers["ETag"] = f'"{hashlib.md5(answer.headers["ETag"].encode()).hexdigest()}"'
        return await exchange.send(answer)

    return fault
