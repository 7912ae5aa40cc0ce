"""A LangGraph agent whose threads and memories are in a bucket or a folder. It runs offline: the model follows a script.

``python examples/langgraph/agent.py s3://my-bucket/agents user-7 "I live in Lisbon"`` runs one turn of the thread ``user-7``. Run
it again from any machine: the thread goes on, and the agent remembers. ``approve`` resumes a paused turn.
"""

from __future__ import annotations

import sys
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command, interrupt

from sessionbucket.integrations.langgraph import BucketSaver, BucketStore


class State(TypedDict):
    """The state of a thread."""

    messages: Annotated[list[AnyMessage], add_messages]


def model(messages: list[AnyMessage], memories: list[str]) -> AIMessage:
    """Stands in for a model: it repeats what it knows, and counts the turns of the thread."""
    turns = sum(isinstance(message, HumanMessage) for message in messages)
    known = f" I know: {'; '.join(memories)}." if memories else ""
    return AIMessage(f"Turn {turns}.{known}")


def remember(state: State, config: RunnableConfig, *, store: BaseStore) -> State:
    """Keep what the user says of themselves, in a place that all threads of the user have in common."""
    text = str(state["messages"][-1].content)
    if text.startswith("I "):
        user = config["configurable"]["thread_id"].partition("/")[0]
        store.put(("memories", user), text, {"text": text})
    return {"messages": []}


def approve(state: State) -> State:
    """Pause a turn that is about money until somebody approves it, maybe in another process."""
    if "pay" in str(state["messages"][-1].content) and not interrupt("May I pay?"):
        return {"messages": [HumanMessage("Do not pay.")]}
    return {"messages": []}


def respond(state: State, config: RunnableConfig, *, store: BaseStore) -> State:
    """Ask the model."""
    user = config["configurable"]["thread_id"].partition("/")[0]
    memories = [item.value["text"] for item in store.search(("memories", user))]
    return {"messages": [model(state["messages"], memories)]}


def build(url: str) -> CompiledStateGraph:
    """The agent, with everything that it keeps at the URL."""
    builder = StateGraph(State)
    builder.add_node("remember", remember)
    builder.add_node("approve", approve)
    builder.add_node("respond", respond)
    builder.add_edge(START, "remember")
    builder.add_edge("remember", "approve")
    builder.add_edge("approve", "respond")
    builder.add_edge("respond", END)
    return builder.compile(checkpointer=BucketSaver(url), store=BucketStore(url))


def turn(url: str, thread: str, text: str) -> str:
    """One turn of a thread: the text of the model, or the question of a paused turn."""
    agent = build(url)
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    paused = agent.get_state(config).next
    given = Command(resume=text == "approve") if paused else {"messages": [HumanMessage(text)]}
    result = agent.invoke(given, config)
    if "__interrupt__" in result:
        return str(result["__interrupt__"][0].value)
    return str(result["messages"][-1].content)


if __name__ == "__main__":
    print(turn(*sys.argv[1:]))
