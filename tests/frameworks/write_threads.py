"""Writes threads and sessions with a real framework: ``python write_threads.py NAME FOLDER``.

``NAME`` is that of an environment of ``versions.toml``, in which this runs, and ``FOLDER`` gets the objects, as in a store. Each conversation asks for the weather
with a tool, meets an error of a tool, thinks where the framework keeps thoughts, and has an image where it keeps images.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypedDict

from sessionbucket import INTEGRATION_FOLDERS, open_store

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAgUlEQVR42g3JMQEEMQgAwZdzIiICERGBgJQUCKCgjAAEIAAJK+Yz7fw+ZSmibEUVU1Ip5fcd1kEO"
    "+6AHO+ShzgtnOeJsRx1z0il/EaxAgh1oYEEGFS8u6yKXfdGLXfJS90WxCil2oYUVWVS9aFYjzW60sSab6hfDGmTYgw425FDDHxt6ewHkCSPGAAAAAElFTkSuQmCC"
)
QUESTION = "Will it rain in Lisbon tomorrow?"
THOUGHT = "The forecast tool knows. Lisbon first."
FORECAST = {"city": "Lisbon", "rain": 0.2, "sky": "clear"}
REPLY = "Tomorrow is clear in Lisbon, with 20% chance of rain."
FAILURE = "no such city: Atlantis"


async def langgraph(url: str) -> None:
    """A thread with tool calls and a subgraph, which waits for approval; one with a large value; and a store of memories."""
    from uuid import uuid4

    from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
    from langgraph.graph import START, StateGraph
    from langgraph.graph.message import add_messages
    from langgraph.types import Command, interrupt

    from sessionbucket.integrations.langgraph import BucketSaver, BucketStore

    # LangGraph evaluates the types, which only this function has.
    types = {"messages": Annotated[list[AnyMessage], add_messages], "run": Any, "notes": str}
    state: Any = TypedDict("State", types, total=False)  # type: ignore[misc]

    def usage(given: int, made: int) -> dict[str, int]:
        return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}

    def ask(_: Any) -> Any:
        calls = [
            {"id": "call-1", "name": "forecast", "args": {"city": "Lisbon"}},
            {"id": "call-2", "name": "forecast", "args": {"city": "Atlantis"}},
        ]
        content = [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": "I look it up."}]
        message = AIMessage(content, tool_calls=calls, usage_metadata=usage(120, 30))
        return {"messages": [message], "run": uuid4()}

    def tools(_: Any) -> Any:
        good = ToolMessage(str(FORECAST), tool_call_id="call-1", name="forecast")
        bad = ToolMessage(FAILURE, tool_call_id="call-2", name="forecast", status="error")
        return {"messages": [good, bad]}

    def approve(_: Any) -> Any:
        return {"notes": interrupt("May I send this?")}

    def respond(_: Any) -> Any:
        return {"messages": [AIMessage(REPLY, usage_metadata=usage(180, 20))]}

    def fail(_: Any) -> Any:
        raise ValueError("the mail server is gone")

    def built(*nodes: Callable[[Any], Any]) -> StateGraph:
        graph = StateGraph(state)
        for before, node in zip([START, *(each.__name__ for each in nodes)], nodes, strict=False):
            graph.add_node(node.__name__, node)
            graph.add_edge(before, node.__name__)
        return graph

    saver = BucketSaver(url)
    inner = StateGraph(state).add_node("approve", approve).add_edge(START, "approve").compile()
    graph = StateGraph(state)
    nodes = {"ask": ask, "tools": tools, "review": inner, "respond": respond}
    for before, (name, node) in zip([START, *nodes], nodes.items(), strict=False):
        graph.add_node(name, node)
        graph.add_edge(before, name)
    agent = graph.compile(checkpointer=saver)
    image = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"},
    }
    asked = HumanMessage([{"type": "text", "text": QUESTION}, image])
    config: Any = {"configurable": {"thread_id": "weather/7"}, "metadata": {"user": "ada"}}
    agent.invoke({"messages": [asked]}, config)
    agent.invoke(Command(resume="yes"), config)
    large: Any = {"configurable": {"thread_id": "large"}}
    built(respond).compile(checkpointer=saver).invoke({"notes": "rain " * 53_000}, large)
    with suppress(ValueError):
        built(ask, fail).compile(checkpointer=saver).invoke(
            {"messages": [HumanMessage(QUESTION)]}, {"configurable": {"thread_id": "failing"}}
        )
    store = BucketStore(url)
    store.put(("memories", "ada"), "home", {"city": "Lisbon", "units": "metric"})
    store.put(("memories", "ada"), "name", {"text": "Ada"})
    store.put(("memories", "bob"), "name", {"text": "Bob"})


async def openai_agents(url: str) -> None:
    """A run of the SDK with a tool that fails once, and items of a reasoning model."""
    from agents import Agent, Runner, function_tool, set_tracing_disabled
    from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

    from sessionbucket.integrations.openai_agents import BucketSession

    set_tracing_disabled(disabled=True)

    @function_tool
    def forecast(city: str) -> dict[str, Any]:
        """The weather of tomorrow."""
        if city != "Lisbon":
            raise ValueError(FAILURE)
        return FORECAST

    calls = [
        function_call("forecast", {"city": city}, call_id=f"call-{city}") for city in ("Lisbon", "Atlantis")
    ]
    model = ScriptedModel([ModelStep(output=calls), ModelStep(output=[assistant_message(REPLY)])])
    session = BucketSession("user-7", url)
    await Runner.run(Agent(name="Weather", model=model, tools=[forecast]), QUESTION, session=session)
    image = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    await session.add_items(
        [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "And what is this?"},
                    {"type": "input_image", "image_url": image, "detail": "auto"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": THOUGHT}]},
            {
                "type": "message",
                "id": "msg_2",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "refusal", "refusal": "I cannot say."}],
            },
        ]
    )
    await session.close()


async def strands(url: str) -> None:  # noqa: C901 (its model)
    """Two agents of one session in the repository, and a snapshot of one in the storage."""
    from strands import Agent, tool
    from strands.models import Model
    from strands.session.repository_session_manager import RepositorySessionManager
    from strands.session.snapshot_session_manager import SnapshotSessionManager

    from sessionbucket.integrations.strands import BucketSessionRepository, BucketStorage

    @tool
    def forecast(city: str) -> dict[str, Any]:
        """The weather of tomorrow."""
        if city != "Lisbon":
            raise ValueError(FAILURE)
        return {"status": "success", "content": [{"json": FORECAST}]}

    class Scripted(Model):
        def __init__(self) -> None:
            self.turns = 0

        def update_config(self, **model_config: Any) -> None:
            pass

        def get_config(self) -> Any:
            return {}

        async def structured_output(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
            raise NotImplementedError
            yield

        async def stream(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
            self.turns += 1
            yield {"messageStart": {"role": "assistant"}}
            if self.turns == 1:
                yield {
                    "contentBlockDelta": {"delta": {"reasoningContent": {"text": THOUGHT, "signature": "s"}}}
                }
                yield {"contentBlockStop": {}}
                for city in ("Lisbon", "Atlantis"):
                    use = {"toolUse": {"toolUseId": f"call-{city}", "name": "forecast"}}
                    yield {"contentBlockStart": {"start": use}}
                    given = {"toolUse": {"input": f'{{"city": "{city}"}}'}}
                    yield {"contentBlockDelta": {"delta": given}}
                    yield {"contentBlockStop": {}}
                yield {"messageStop": {"stopReason": "tool_use"}}
            else:
                yield {"contentBlockDelta": {"delta": {"text": REPLY}}}
                yield {"contentBlockStop": {}}
                yield {"messageStop": {"stopReason": "end_turn"}}
            yield {
                "metadata": {
                    "usage": {"inputTokens": 120, "outputTokens": 30, "totalTokens": 150},
                    "metrics": {"latencyMs": 210},
                }
            }

    image = {"image": {"format": "png", "source": {"bytes": PNG}}}
    repository = BucketSessionRepository(url)
    for name in ("weather", "second"):
        manager = RepositorySessionManager("trip/1", repository)
        agent = Agent(
            model=Scripted(), agent_id=name, tools=[forecast], session_manager=manager, callback_handler=None
        )
        await agent.invoke_async([{"text": QUESTION}, image] if name == "weather" else QUESTION)
    storage = BucketStorage(url)
    snapshots = SnapshotSessionManager("user-7", storage=storage)
    agent = Agent(
        model=Scripted(),
        agent_id="weather",
        tools=[forecast],
        session_manager=snapshots,
        callback_handler=None,
    )
    await agent.invoke_async(QUESTION)


async def google_adk(url: str) -> None:
    """Events of two turns with a function that fails once, state of all scopes, and artifacts in two versions."""
    from google.adk.events.event import Event
    from google.adk.events.event_actions import EventActions
    from google.genai import types

    from sessionbucket.integrations.google_adk import BucketArtifactService, BucketSessionService

    sessions = BucketSessionService(url)
    state = {"app:units": "metric", "user:name": "Ada", "city": "Lisbon"}
    session = await sessions.create_session(
        app_name="weather", user_id="ada/1", session_id="s-1", state=state
    )

    async def add(author: str, *parts: types.Part, **members: Any) -> None:
        role = "user" if author == "user" else "model"
        content = types.Content(role=role, parts=[*parts]) if parts else None
        await sessions.append_event(session, Event(author=author, content=content, **members))

    usage = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=120, candidates_token_count=30, total_token_count=150
    )
    await add(
        "user",
        types.Part(text=QUESTION),
        types.Part(inline_data=types.Blob(mime_type="image/png", data=PNG)),
        invocation_id="i-1",
    )
    calls = [
        types.Part(function_call=types.FunctionCall(id=f"call-{city}", name="forecast", args={"city": city}))
        for city in ("Lisbon", "Atlantis")
    ]
    thought = types.Part(text=THOUGHT, thought=True)
    await add("weather", thought, *calls, invocation_id="i-1", usage_metadata=usage)
    responses = [
        types.Part(
            function_response=types.FunctionResponse(id=f"call-{city}", name="forecast", response=response)
        )
        for city, response in (("Lisbon", FORECAST), ("Atlantis", {"error": FAILURE}))
    ]
    await add("weather", *responses, invocation_id="i-1")
    actions = EventActions(state_delta={"asked": 1, "app:seen": 1}, artifact_delta={"map.png": 1})
    await add("weather", types.Part(text=REPLY), invocation_id="i-1", actions=actions)
    await add("weather", invocation_id="i-2", error_code="MAX_TOKENS", error_message="The limit is reached.")
    artifacts = BucketArtifactService(url)
    where: Any = {"app_name": "weather", "user_id": "ada/1"}
    for _ in range(2):
        part = types.Part(inline_data=types.Blob(mime_type="image/png", data=PNG))
        await artifacts.save_artifact(**where, session_id="s-1", filename="map.png", artifact=part)
    notes = types.Part(text="Take an umbrella.")
    await artifacts.save_artifact(
        **where, session_id="s-1", filename="notes.txt", artifact=notes, custom_metadata={"by": "weather"}
    )
    await artifacts.save_artifact(**where, filename="user:home.txt", artifact=types.Part(text="Lisbon"))


async def claude_agent_sdk(url: str) -> None:
    """A transcript as Claude Code writes it, with a subagent, through the SDK's store."""
    from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore

    store = BucketSessionStore(url)
    key: Any = {"project_key": "-work-weather", "session_id": "0f5c2f6e-1111-4222-8333-444455556666"}
    parent = None

    def row(number: int, kind: str, message: Any, **more: Any) -> Any:
        nonlocal parent
        entry = {
            "type": kind,
            "uuid": f"00000000-0000-4000-8000-{number:012}",
            "parentUuid": parent,
            "sessionId": key["session_id"],
            "timestamp": f"2026-11-20T10:00:{number:02}.000Z",
            "isSidechain": False,
            "cwd": "/work/weather",
            "version": "2.1.0",
            "message": message,
            **more,
        }
        parent = entry["uuid"]
        return entry

    def said(id: str, *content: Any) -> Any:
        usage = {"input_tokens": 120, "output_tokens": 30, "cache_read_input_tokens": 1000}
        return {
            "id": id,
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [*content],
            "stop_reason": "tool_use" if content[-1]["type"] == "tool_use" else "end_turn",
            "usage": usage,
        }

    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
    uses = [
        {"type": "tool_use", "id": f"toolu_{city}", "name": "Bash", "input": {"command": f"forecast {city}"}}
        for city in ("Lisbon", "Atlantis")
    ]
    results = [
        [{"type": "tool_result", "tool_use_id": "toolu_Lisbon", "content": str(FORECAST)}],
        [{"type": "tool_result", "tool_use_id": "toolu_Atlantis", "content": FAILURE, "is_error": True}],
    ]
    entries = [
        {
            "type": "summary",
            "summary": "Weather in Lisbon",
            "leafUuid": "00000000-0000-4000-8000-000000000006",
        },
        row(
            1,
            "user",
            {
                "role": "user",
                "content": [{"type": "text", "text": QUESTION}, {"type": "image", "source": source}],
            },
        ),
        row(2, "assistant", said("msg_1", {"type": "thinking", "thinking": THOUGHT, "signature": "s"})),
        row(3, "assistant", said("msg_1", *uses)),
        row(4, "user", {"role": "user", "content": results[0]}, toolUseResult={"stdout": str(FORECAST)}),
        row(5, "user", {"role": "user", "content": results[1]}),
        row(6, "assistant", said("msg_2", {"type": "text", "text": REPLY})),
        {
            "type": "system",
            "subtype": "compact_boundary",
            "content": "Conversation compacted",
            "uuid": "00000000-0000-4000-8000-000000000007",
            "timestamp": "2026-11-20T10:01:00.000Z",
        },
    ]
    for entry in entries:
        await store.append(key, [entry])
    parent = None
    sub: Any = {**key, "subpath": "subagents/agent-1"}
    await store.append(
        sub,
        [
            row(11, "user", {"role": "user", "content": "Find the forecast page."}, isSidechain=True),
            row(12, "assistant", said("msg_3", {"type": "text", "text": "Found it."}), isSidechain=True),
        ],
    )
    await store.close()


async def pydantic_ai(url: str) -> None:
    """A run with a tool that is retried, and a second turn that branches off."""
    from pydantic_ai import Agent, BinaryContent, ModelRetry
    from pydantic_ai.conversation import Conversation
    from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel
    from pydantic_ai.usage import RequestUsage

    from sessionbucket.integrations.pydantic_ai import BucketConversationStore

    def respond(messages: list[Any], _: Any) -> ModelResponse:
        usage = RequestUsage(input_tokens=120, output_tokens=30)
        if len(messages) == 1:
            calls = [
                ToolCallPart("forecast", {"city": city}, tool_call_id=f"call-{city}")
                for city in ("Lisbon", "Atlantis")
            ]
            return ModelResponse(parts=[ThinkingPart(THOUGHT), *calls], usage=usage)
        return ModelResponse(parts=[TextPart(REPLY)], usage=usage)

    agent = Agent(FunctionModel(respond), instructions="Be brief.", system_prompt="You know the weather.")

    @agent.tool_plain
    def forecast(city: str) -> dict[str, Any]:
        if city != "Lisbon":
            raise ModelRetry(FAILURE)
        return FORECAST

    store = BucketConversationStore(url)
    conversation = Conversation(conversation_id="user-7")
    image = BinaryContent(PNG, media_type="image/png")
    await store.save(await agent.run([QUESTION, image], conversation=conversation), scope="ada")
    loaded = await store.load("user-7")
    assert loaded is not None
    await store.save(await agent.run("And on Sunday?", conversation=loaded), scope="ada")
    await store.close()


async def agent_framework(url: str) -> None:
    """A session, a history with a failing tool, and checkpoints of a workflow."""
    from agent_framework import AgentSession, Content, Message, WorkflowCheckpoint

    from sessionbucket.integrations.agent_framework import (
        BucketCheckpointStorage,
        BucketHistoryProvider,
        BucketSessionStore,
    )

    sessions = BucketSessionStore(url)
    session = AgentSession(session_id="user-7")
    session.state["city"] = "Lisbon"
    await sessions.set("user-7", session)
    calls = [
        Content.from_function_call(f"call-{city}", "forecast", arguments={"city": city})
        for city in ("Lisbon", "Atlantis")
    ]
    results = [
        Content.from_function_result("call-Lisbon", result=str(FORECAST)),
        Content.from_function_result("call-Atlantis", result="Error: Function failed.", exception=FAILURE),
    ]
    usage = Content.from_usage({"input_token_count": 120, "output_token_count": 30, "total_token_count": 150})
    history = BucketHistoryProvider(url, source_id="memory")
    await history.save_messages(
        "user-7",
        [
            Message("user", [Content.from_text(QUESTION), Content.from_data(PNG, "image/png")]),
            Message(
                "assistant", [Content.from_text_reasoning(text=THOUGHT), *calls, usage], author_name="weather"
            ),
            Message("tool", results),
            Message("assistant", [REPLY], author_name="weather"),
            Message("assistant", [Content.from_error(message="The limit is reached.", error_code="429")]),
        ],
    )
    storage = BucketCheckpointStorage(url)
    previous = None
    for number in range(3):
        checkpoint = WorkflowCheckpoint(
            workflow_name="trip plan",
            graph_signature_hash="1f",
            checkpoint_id=f"checkpoint-{number}",
            previous_checkpoint_id=previous,
            iteration_count=number,
            state={"city": "Lisbon", "steps": number, "seen": {1, 2}},
            metadata={"superstep": number},
        )
        previous = await storage.save(checkpoint)
    await storage.close()


async def llama_index(url: str) -> None:
    """Messages with blocks of all common types."""
    from llama_index.core.base.llms.types import ThinkingBlock, ToolCallBlock
    from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock

    from sessionbucket.integrations.llama_index import BucketChatStore

    calls = [
        ToolCallBlock(tool_call_id=f"call-{city}", tool_name="forecast", tool_kwargs={"city": city})
        for city in ("Lisbon", "Atlantis")
    ]
    store = BucketChatStore(url)
    for message in (
        ChatMessage(role=MessageRole.SYSTEM, content="You know the weather."),
        ChatMessage(
            role=MessageRole.USER,
            blocks=[TextBlock(text=QUESTION), ImageBlock(image=PNG, image_mimetype="image/png")],
        ),
        ChatMessage(role=MessageRole.ASSISTANT, blocks=[ThinkingBlock(content=THOUGHT), *calls]),
        ChatMessage(
            role=MessageRole.TOOL, content=str(FORECAST), additional_kwargs={"tool_call_id": "call-Lisbon"}
        ),
        ChatMessage(
            role=MessageRole.TOOL, content=FAILURE, additional_kwargs={"tool_call_id": "call-Atlantis"}
        ),
        ChatMessage(role=MessageRole.ASSISTANT, content=REPLY),
    ):
        store.add_message("user-7", message)
    store.close()


WRITERS: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {
    "langgraph": langgraph,
    "openai-agents": openai_agents,
    "strands": strands,
    "google-adk": google_adk,
    "claude-agent-sdk": claude_agent_sdk,
    "pydantic-ai": pydantic_ai,
    "agent-framework": agent_framework,
    "llama-index": llama_index,
}


def main(name: str, folder: Path) -> None:
    url = "memory://threads"  # some documents have the URL in them
    with open_store(url) as store:
        asyncio.run(WRITERS[name](url))
        for kind in INTEGRATION_FOLDERS:
            documents = store.documents(kind, integration=True)
            for info in documents.list():
                found = documents.get(info.key)
                path = folder / kind / info.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(found.body if found else b"")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
