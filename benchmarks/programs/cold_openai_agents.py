"""A cold start up to the first item of a session, with the OpenAI Agents SDK, obstore and json. Arguments: endpoint, bucket, key."""

import asyncio
import json
import sys

import obstore
from agents.memory.session import SessionABC
from obstore.store import S3Store


class ObjectSession(SessionABC):
    def __init__(self, session_id, store, key):
        self.session_id = session_id
        self._store = store
        self._key = key

    async def get_items(self, limit=None):
        # Blocking: after an async request, obstore's threads may abort a process that ends at once.
        return json.loads(bytes(obstore.get(self._store, self._key).bytes()))

    async def add_items(self, items):
        raise NotImplementedError

    async def pop_item(self):
        raise NotImplementedError

    async def clear_session(self):
        raise NotImplementedError


store = S3Store(
    sys.argv[2],
    endpoint=sys.argv[1],
    virtual_hosted_style_request=False,
    client_options={"allow_http": True},
)
items = asyncio.run(ObjectSession("cold", store, sys.argv[3]).get_items())
assert items
