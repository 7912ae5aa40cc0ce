"""The page of a conversation: messages of every provider, calls beside their results, pages, versions, and what is broken."""

from __future__ import annotations

import base64
import html
import json
import re
import tracemalloc

import pytest
from pydantic import BaseModel

from sessionbucket import AccessDeniedError, Conversation, Message, SessionStore
from sessionbucket.models import ImageBlock, LlmCostRecord, TextBlock, ToolResultBlock, ToolUseBlock
from sessionbucket.web.conversations import MESSAGES
from web.viewing import link, make_session, text_of

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def calls(page: str) -> list[str]:
    """The text of each tool call with its result."""
    found = re.findall(r'<details class="tool.*?</details>', page, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", each)).split()) for each in found]


def test_a_session_of_a3s_code_shows_everything(store, viewed):
    session = make_session("chat", "Look at the file", principal="ada", tags=["demo"], parent_id="older")
    session.config.name, session.config.system_prompt = "A chat", "You are careful."
    session.messages += [
        Message(
            role="assistant",
            content=[
                TextBlock(text="I read it."),
                ToolUseBlock(id="c1", name="read_file", input={"path": "a.txt"}),
            ],
            reasoning_content="It is a small file.",
        ),
        Message(
            role="user", content=[ToolResultBlock(tool_use_id="c1", content="no such file", is_error=True)]
        ),
    ]
    store.save(session)
    page = viewed.get("/session?id=chat")
    assert calls(page) == ["read_file error c1 Arguments path a.txt Error no such file"]
    assert re.search(r"<details class=\"fold thinking\">\s*<summary>Thinking", page), "thinking is not folded"
    text = text_of(page)
    for fact in (
        "A chat",
        "1 · User",
        "2 · Assistant",
        "I read it.",
        "It is a small file.",
        "You are careful.",
        "ada",
        "demo",
    ):
        assert fact in text
    assert "results at message 2" in text
    assert link(page, "older") == "/session?id=older"


ANTHROPIC = [
    {"role": "user", "content": "Go"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "a thought", "signature": "s"},
            {"type": "text", "text": "some words"},
            {"type": "tool_use", "id": "t1", "name": "search", "input": {"q": "bags"}},
        ],
        "usage": {"input_tokens": 1200, "output_tokens": 34},
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "found"}]}
        ],
    },
]
OPENAI = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Go"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ],
    },
    {
        "role": "assistant",
        "content": "some words",
        "reasoning_content": "a thought",
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "search", "arguments": '{"q": "bags"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "t1", "content": "found"},
]
RESPONSES = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go"}]},
    {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "a thought"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "some words"}]},
    {"type": "function_call", "call_id": "t1", "name": "search", "arguments": '{"q": "bags"}'},
    {"type": "function_call_output", "call_id": "t1", "output": "found"},
]
GEMINI = [
    {"role": "user", "parts": [{"text": "Go"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
    {
        "role": "model",
        "parts": [
            {"text": "a thought", "thought": True},
            {"text": "some words"},
            {"functionCall": {"id": "t1", "name": "search", "args": {"q": "bags"}}},
        ],
    },
    {"role": "user", "parts": [{"functionResponse": {"id": "t1", "name": "search", "response": "found"}}]},
]
BEDROCK = [
    {"role": "user", "content": [{"text": "Go"}, {"image": {"format": "png", "source": {"bytes": PNG}}}]},
    {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "a thought"}}},
            {"text": "some words"},
            {"toolUse": {"toolUseId": "t1", "name": "search", "input": {"q": "bags"}}},
        ],
    },
    {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "found"}], "status": "success"}}],
    },
]
LANGCHAIN = [
    {"type": "human", "data": {"content": "Go"}},
    {
        "type": "ai",
        "data": {
            "content": [
                {"type": "thinking", "thinking": "a thought"},
                {"type": "text", "text": "some words"},
            ],
            "tool_calls": [{"id": "t1", "name": "search", "args": {"q": "bags"}}],
        },
    },
    {"type": "tool", "data": {"content": "found", "tool_call_id": "t1", "status": "success"}},
]
PYDANTIC_AI = [
    {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "Go"}]},
    {
        "kind": "response",
        "parts": [
            {"part_kind": "thinking", "content": "a thought"},
            {"part_kind": "text", "content": "some words"},
            {"part_kind": "tool-call", "tool_name": "search", "args": '{"q": "bags"}', "tool_call_id": "t1"},
        ],
    },
    {
        "kind": "request",
        "parts": [
            {"part_kind": "tool-return", "tool_name": "search", "content": "found", "tool_call_id": "t1"}
        ],
    },
]
PROVIDERS = {
    "anthropic": ANTHROPIC,
    "openai": OPENAI,
    "responses": RESPONSES,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
    "langchain": LANGCHAIN,
    "pydantic-ai": PYDANTIC_AI,
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_messages_of_every_provider_are_shown(bucket, viewed, provider):
    messages = PROVIDERS[provider]
    SessionStore(bucket, model=Conversation).save(Conversation(id="c", title="A title", messages=messages))
    page = viewed.get("/session?id=c")
    assert calls(page) == ["search t1 Arguments q bags Result found"]
    text = text_of(page)
    for words in ("1 · User", "Go", "Assistant", "some words", "Thinking", "a thought", "Tool"):
        assert words in text
    assert ("<img" in page) == ("iVBOR" in json.dumps(messages))
    assert "Other members" not in text


def test_what_no_provider_has_stays_visible(bucket, viewed):
    messages = [
        {"role": "user", "content": [{"type": "hologram", "beam": 7}, 3], "mood": "calm"},
        {"strange": [1, 2]},
    ]
    SessionStore(bucket, model=Conversation).save(Conversation(id="c", messages=messages))
    text = text_of(viewed.get("/session?id=c"))
    for words in ("hologram", '"beam": 7', "calm", "strange"):
        assert words in text


@pytest.mark.parametrize("id", ["call", ""])
def test_a_repeated_call_id_has_the_next_result(store, viewed, id):
    session = make_session("chat")
    for number in (1, 2):
        session.messages += [
            Message.tool_use(id, f"tool{number}", {}),
            Message.tool_result(id, f"result {number}"),
        ]
    store.save(session)
    found = calls(viewed.get("/session?id=chat"))
    assert [("tool1" in each, "result 1" in each) for each in found] == [(True, True), (False, False)]
    assert "result 2" in found[1]


def test_a_call_without_a_result_and_a_result_without_a_call(store, viewed):
    session = make_session("chat")
    session.messages += [
        Message.tool_result("lost", "an orphan"),
        Message.tool_use("open", "search", {"q": 1}),
    ]
    store.save(session)
    orphan, unanswered = calls(viewed.get("/session?id=chat"))
    assert "result without its call" in orphan
    assert "an orphan" in orphan
    assert "no result" in unanswered


def test_a_second_result_of_a_call_hides_neither(store, viewed):
    session = make_session("chat")
    session.messages += [
        Message.tool_use("c", "search", {}),
        Message.tool_result("c", "one"),
        Message.tool_result("c", "two"),
    ]
    store.save(session)
    first, second = calls(viewed.get("/session?id=chat"))
    assert "one" in first
    assert "two" in second


def test_a_result_on_the_next_page_is_at_its_call(store, viewed):
    session = make_session("chat", *["x"] * (MESSAGES - 1))
    session.messages += [Message.tool_use("c", "search", {}), Message.tool_result("c", "on the next page")]
    store.save(session)
    assert "on the next page" in calls(viewed.get("/session?id=chat"))[0]
    second = viewed.get("/session?id=chat&page=2")
    assert not calls(second)
    assert f"results at message {MESSAGES}" in text_of(second)


def test_the_costs_are_at_the_messages_that_they_are_of(store, viewed):
    session = make_session("chat")
    session.messages += [Message.assistant("one"), Message.user("?"), Message.assistant("two")]
    session.cost_records = [
        LlmCostRecord(
            model="m",
            provider="p",
            prompt_tokens=tokens,
            completion_tokens=5,
            total_tokens=tokens + 5,
            cost_usd=cost,
            timestamp="2026-01-01T00:00:00Z",
        )
        for tokens, cost in ((1_000, 0.25), (2_000, 0.5))
    ]
    store.save(session)
    text = text_of(viewed.get("/session?id=chat"))
    assert "2 · Assistant tokens in 1,000 tokens out 5 cost $0.2500 one" in text
    assert "4 · Assistant tokens in 2,000 tokens out 5 cost $0.5000 two" in text


@pytest.mark.parametrize(
    ("media_type", "data", "is_shown"),
    [
        ("image/png", PNG, True),
        ("image/jpeg", PNG, True),
        ("image/gif", PNG, True),
        ("image/webp", PNG, True),
        ("image/svg+xml", PNG, False),
        ("text/html", PNG, False),
        ("image/png", '" onerror="alert(1)', False),
        ("image/png", "", False),
        ("image/png;base64,x", PNG, False),
    ],
)
def test_only_safe_images_are_shown(store, viewed, media_type, data, is_shown):
    session = make_session("chat")
    block = ImageBlock.model_validate({"source": {"media_type": media_type, "data": data}})
    session.messages = [Message(role="user", content=[block])]
    store.save(session)
    page = viewed.get("/session?id=chat")
    assert ("<img" in page) == is_shown
    assert ("shows PNG, JPEG, GIF and WebP only" in page) != is_shown


def test_every_message_is_on_one_page(store, viewed):
    texts = [f"message {number} of all" for number in range(2 * MESSAGES + 7)]
    store.save(make_session("chat", *texts))
    page, found = viewed.get("/session?id=chat"), []
    while True:
        found += re.findall(r"message \d+ of all", page)
        if link(page, "Next") is None:
            break
        page = viewed.follow(page, "Next")
    assert found == texts
    assert "message 3 of all" in viewed.get("/session?id=chat&page=0")
    assert texts[-1] in viewed.get("/session?id=chat&page=999")


@pytest.mark.slow  # tracing memory takes seconds
def test_a_long_conversation_takes_little_memory_and_leaves_none(store, viewed):
    session = make_session("long", *["words " * 100] * 10_000)
    store.save(session)
    size = store.raw.get("long").info.size
    viewed.get("/session?id=long")
    tracemalloc.start()
    try:
        viewed.get("/session?id=long")
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for page in (2, 25, 50):
            assert viewed.get(f"/session?id=long&page={page}").count('class="step ') == MESSAGES
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - kept < 6 * size
    assert left - kept < size / 10


class Note(BaseModel):
    id: str
    title: str
    lines: list[str]
    place: dict[str, float]


def test_a_model_of_the_users_own_is_shown_as_json(bucket, viewed):
    note = Note(id="note", title="Shopping", lines=["milk", "bread"], place={"lat": 53.5})
    SessionStore(bucket, model=Note).save(note)
    text = text_of(viewed.get("/session?id=note"))
    for words in ("Shopping", "lines", '"milk"', "place", '"lat": 53.5', "no messages"):
        assert words in text
    assert "damaged" not in text


def test_a_damaged_session_shows_what_can_be_read(store, bucket, viewed):
    store.save(make_session("chat", "a message to see"))
    body = json.loads(bucket.get("chat.json", max_bytes=10**6).body)
    bucket.put("chat.json", json.dumps({**body, "total_cost": "much", "tool_names": 3}).encode())
    text = text_of(viewed.get("/session?id=chat"))
    assert "This session is damaged" in text
    assert "total_cost" in text
    assert "a message to see" in text


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"id": "other"}', b"\xff"])
def test_a_corrupt_session_has_a_page_that_says_so(bucket, viewed, body):
    bucket.put("chat.json", body)
    page = viewed.get("/session?id=chat", status=422)
    assert "This cannot be read" in text_of(page)
    response = viewed.client.get(link(page, "Download it as it is stored"))
    assert response.content == body
    assert response.headers["content-disposition"].startswith("attachment")


def test_a_missing_session_and_a_refused_one_say_so(store, bucket, viewed):
    assert "has no session 'missing'" in text_of(viewed.get("/session?id=missing", status=404))
    store.save(make_session("chat"))
    bucket.fail(
        "get", key="chat.json", times=None, error=AccessDeniedError("403 AccessDenied", location="memory://")
    )
    assert "403 AccessDenied" in text_of(viewed.get("/session?id=chat", status=403))
    assert viewed.ids() == ["chat"]


def test_a_store_without_a_connection_says_so(bucket, viewed):
    bucket.fail(times=None)
    assert "The store is not available" in text_of(viewed.get("/session?id=chat", status=502))
    bucket.clear_faults()
    assert "no sessions yet" in viewed.get("/")


@pytest.mark.parametrize("id", ["a/b", "a b&c=d", "ü/é", "..", "%2e%2e", "a?b#c", '"><b>', "a\\b"])
def test_any_id_has_its_pages(store, viewed, id):
    store.save(make_session(id, "the text of it"))
    page = viewed.follow(viewed.get("/"), "the text of it")
    assert "the text of it" in text_of(page)
    for tab in ("Files", "Traces", "Verification", "History", "Forks"):
        viewed.follow(page, tab)


def test_long_texts_are_cut_with_a_note(store, viewed):
    store.save(make_session("chat", "x" * 10_000_000))
    page = viewed.get("/session?id=chat")
    assert len(page) < 100_000
    assert "9,980,000 more characters" in text_of(page)


def test_the_tasks_and_other_members_are_shown(store, viewed):
    session = make_session("chat", correlation_id="c-17")
    store.save(session)
    assert "c-17" in text_of(viewed.get("/session?id=chat"))


def test_hidden_characters_are_visible(store, viewed):
    store.save(make_session("chat", "pay \u202e0001 EUR\u2066 \x1b[2J\u200f now"))
    page = viewed.get("/session?id=chat")
    assert not re.search("[\u202e\u2066\x1b\u200f]", page)
    assert "\\u202e" in page
    assert "\\x1b" in page
    assert not re.search("[\u202e\u2066\x1b\u200f]", viewed.get("/"))
