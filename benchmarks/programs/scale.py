"""One operation on a large store in a fresh process. Arguments: the URL of the store, the name of the operation.

Prints as JSON the number of results, the seconds, the CPU seconds, the peak memory in bytes above that of the open store, and the requests
by kind.
"""

import json
import re
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sessionbucket import BucketWrapper, Conversation, Retention, SessionStore, open_store


class CountingBucket(BucketWrapper):
    """Counts the requests of each kind."""

    def __init__(self, inner):
        super().__init__(inner)
        self.calls = Counter()

    def request(self, call, send):
        self.calls[call.operation] += 1
        return send()


def memory(name):
    return (
        int(re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)[1])
        * 1024
    )


USER = "user-0042/"
SUMMARIES = lambda store: sum(1 for _ in store.summaries())  # noqa: E731 (one of a table)
OPERATIONS = {
    "first page of 20": lambda store: len(store.list_page(limit=20).sessions),
    "first page of 20 summaries": lambda store: len(store.summary_page(limit=20).summaries),
    "list of one user": lambda store: sum(1 for _ in store.iter_sessions(prefix=USER)),
    "summaries of one user": lambda store: sum(1 for _ in store.summaries(prefix=USER)),
    "list": lambda store: sum(1 for _ in store.iter_sessions()),
    "list, 16 ranges at once": lambda store: sum(1 for _ in store.iter_sessions(concurrency=16)),
    "sweep, dry run": lambda store: sum(1 for _ in store.retention.sweep(POLICY, dry_run=True)),
    "check": lambda store: sum(1 for _ in store.check()),
    "summaries, first time": SUMMARIES,
    "summaries, again": SUMMARIES,
}
POLICY = Retention(idle=timedelta(days=90))

with open_store(sys.argv[1], model=Conversation) as opened:
    opened.list_page(limit=1)
    bucket = CountingBucket(opened.bucket)
    store = SessionStore(bucket, opened.prefix, model=Conversation)
    base = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    started, cpu = time.perf_counter(), time.process_time()
    found = OPERATIONS[sys.argv[2]](store)
    result = {
        "results": found,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "memory": memory("VmHWM") - base,
        "requests": bucket.calls,
    }
print(json.dumps(result))
