"""The memory of a load and a save in a fresh process.

Arguments: the URL of the store, the ids of a small and a large session, and ``zstd`` for a store that compresses.
"""

import sys

from memory import report

from sessionbucket import open_store

with open_store(sys.argv[1], compression=sys.argv[4] if sys.argv[4:] else None) as store:
    report(store.load, store.save, sys.argv[2], sys.argv[3])
