"""The threads, sessions and conversations of agent frameworks, as their integrations have written them. No framework is needed.

Nothing that the data names is imported or called: what is no JSON and no plain msgpack is shown by its type and size.
"""

from sessionbucket.web.threads.listing import TITLES, KindSummary, ThreadPage, ThreadRow, kinds, page
from sessionbucket.web.threads.reading import MOST_ENTRIES, Thread, thread

__all__ = [
    "MOST_ENTRIES",
    "TITLES",
    "KindSummary",
    "Thread",
    "ThreadPage",
    "ThreadRow",
    "kinds",
    "page",
    "thread",
]
