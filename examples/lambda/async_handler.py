"""The same with asyncio, for an agent with concurrent work. Lambda calls ``async_handler.handler``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import agent
from turns import (
    LOAD_SECONDS,
    SAVE_SECONDS,
    Clock,
    Context,
    TurnRequest,
    add_turn,
    error_response,
    read_request,
    reply_in,
    store_url,
    success_response,
)

from sessionbucket import SessionData, open_async_store

# One runner and one store for the lifetime of the container. A client belongs to the event loop in which it was made: with
# `asyncio.run` every invocation would have a new loop and need a new connection.
runner = asyncio.Runner()
store = open_async_store(store_url())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Handle one event: a ``TurnRequest``. ``success_response`` and ``error_response`` have the possible responses."""
    try:
        request = read_request(event, context)
        return success_response(runner.run(take_turn(request, Clock(context))), request)
    except Exception as error:  # noqa: BLE001 (``error_response`` raises any other error again)
        return error_response(error)


async def take_turn(request: TurnRequest, clock: Clock) -> SessionData:
    """Add the turn, save the session, and return it. It ends before Lambda would end the invocation."""
    clock.require(LOAD_SECONDS + LOAD_SECONDS + SAVE_SECONDS)
    async with asyncio.timeout(clock.seconds()):
        session = await store.load(request.session_id) or SessionData(id=request.session_id)
        if reply_in(session, request.request_id) is not None:
            return session

        # The model is called once, outside of `update`, which repeats its change when another invocation has saved in between.
        seconds = clock.seconds() - LOAD_SECONDS - SAVE_SECONDS
        reply = await agent.reply_async(session.messages, request.text, seconds=seconds)

        def change(current: SessionData) -> None:
            clock.require(SAVE_SECONDS)
            add_turn(current, request, reply)

        return await store.update(
            request.session_id, change, create=lambda: SessionData(id=request.session_id)
        )
