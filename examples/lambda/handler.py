"""An agent in AWS Lambda: each invocation is one turn of a session. ``handler.handler`` is what Lambda calls."""

from __future__ import annotations

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

from sessionbucket import SessionData, open_store

# One for the life of this container: a warm invocation finds its connection made.
store = open_store(store_url())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Answer one event; what it may hold is in ``TurnRequest``, and what is answered in ``answered`` and ``failed``."""
    try:
        request = read_request(event, context)
        return answered(take_turn(request, Clock(context)), request)
    except Exception as error:  # noqa: BLE001 (raised again where it is none of ours)
        return failed(error)


def take_turn(request: TurnRequest, clock: Clock) -> SessionData:
    """The session with the turn in it, saved."""
    clock.require(LOAD_SECONDS + LOAD_SECONDS + SAVE_SECONDS)
    session = store.load(request.session_id) or SessionData(id=request.session_id)
    if reply_in(session, request.request_id) is not None:
        return session

    # The model is asked once, and outside of `update`, which repeats its change when another invocation saved meanwhile.
    seconds = clock.seconds() - LOAD_SECONDS - SAVE_SECONDS
    reply = agent.answer(session.messages, request.text, seconds=seconds)

    def change(current: SessionData) -> None:
        clock.require(SAVE_SECONDS)
        add_turn(current, request, reply)

    return store.update(request.session_id, change, create=lambda: SessionData(id=request.session_id))
