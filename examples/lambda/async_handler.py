"""The same with asyncio, for an agent that does several things at once. ``async_handler.handler`` is what Lambda calls."""

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
    answered,
    failed,
    read_request,
    reply_in,
    store_url,
)

from sessionbucket import SessionData, open_async_store

# One of each for the life of this container. A client belongs to the event loop it was made in: with `asyncio.run` every
# invocation would have a new loop, and connect anew.
runner = asyncio.Runner()
store = open_async_store(store_url())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Answer one event; what it may hold is in ``TurnRequest``, and what is answered in ``answered`` and ``failed``."""
    try:
        request = read_request(event, context)
        return answered(runner.run(take_turn(request, Clock(context))), request)
    except Exception as error:  # noqa: BLE001 (raised again where it is none of ours)
        return failed(error)


async def take_turn(request: TurnRequest, clock: Clock) -> SessionData:
    """The session with the turn in it, saved. It ends, done or not, before Lambda would end it."""
    clock.require(LOAD_SECONDS + LOAD_SECONDS + SAVE_SECONDS)
    async with asyncio.timeout(clock.seconds()):
        session = await store.load(request.session_id) or SessionData(id=request.session_id)
        if reply_in(session, request.request_id) is not None:
            return session

        # The model is asked once, and outside of `update`, which repeats its change when another invocation saved meanwhile.
        seconds = clock.seconds() - LOAD_SECONDS - SAVE_SECONDS
        reply = await agent.answer_async(session.messages, request.text, seconds=seconds)

        def change(current: SessionData) -> None:
            clock.require(SAVE_SECONDS)
            add_turn(current, request, reply)

        return await store.update(
            request.session_id, change, create=lambda: SessionData(id=request.session_id)
        )
