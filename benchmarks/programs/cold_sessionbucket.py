"""From nothing to a first session: sessionbucket. Arguments: the store's URL, the session's id."""

import sys

from sessionbucket import open_store

with open_store(sys.argv[1]) as store:
    session = store.load(sys.argv[2])
assert session is not None
