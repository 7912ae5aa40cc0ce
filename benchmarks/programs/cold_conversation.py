"""A cold start up to the first conversation. Arguments: the URL of the store, the id of the conversation."""

import sys

from sessionbucket import Conversation, open_store

with open_store(sys.argv[1], model=Conversation) as store:
    conversation = store.load(sys.argv[2])
assert conversation is not None
