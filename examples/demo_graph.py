"""A LangGraph run with two parallel tasks, for the demo: ``python demo_graph.py URL SECONDS``.

It starts the thread, or resumes it where another process has stopped. One task takes SECONDS.
"""

from __future__ import annotations

import operator
import os
import sys
import time
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph

from sessionbucket.integrations.langgraph import BucketSaver


class Trip(TypedDict, total=False):
    found: Annotated[list[str], operator.add]


def flights(_: Trip) -> Trip:
    print(f"flights runs in process {os.getpid()}", flush=True)
    return {"found": ["a flight at 9:40"]}


def hotels(_: Trip) -> Trip:
    print(f"hotels runs in process {os.getpid()}", flush=True)
    time.sleep(float(sys.argv[2]))
    return {"found": ["a room by the river"]}


builder = StateGraph(Trip)
builder.add_node("flights", flights)
builder.add_node("hotels", hotels)
for task in ("flights", "hotels"):
    builder.add_edge(START, task)
    builder.add_edge(task, END)

graph = builder.compile(checkpointer=BucketSaver(sys.argv[1]))
thread = {"configurable": {"thread_id": "trip-to-lisbon"}}
is_paused = bool(graph.get_state(thread).next)
trip = graph.invoke(None if is_paused else {"found": []}, thread)
print(" and ".join(trip["found"]), flush=True)
