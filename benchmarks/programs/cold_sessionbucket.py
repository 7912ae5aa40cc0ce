"""A cold start up to the first session, with sessionbucket. Arguments: the URL of the store, the id of the session."""

import sys

from sessionbucket import open_store

with open_store(sys.argv[1]) as store:
    session = store.load(sys.argv[2])
assert session is not None
