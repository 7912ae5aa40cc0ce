#!/usr/bin/env python3
"""Stands in for Claude Code, offline: it keeps a local transcript, mirrors it to the SDK, and says how many turns it has seen."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from claude_agent_sdk import project_key_for_directory


def send(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def entry(kind: str, session: str, content: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": str(uuid4()),
        "sessionId": session,
        "timestamp": datetime.now(UTC).isoformat(),
        "cwd": str(Path.cwd()),
        "message": {"role": kind, "content": content},
    }


def main() -> None:
    arguments = sys.argv[1:]
    resumed = next((each.partition("=")[2] for each in arguments if each.startswith("--resume=")), "")
    if "--resume" in arguments:
        resumed = arguments[arguments.index("--resume") + 1]
    session = resumed or str(uuid4())
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects" / project_key_for_directory(Path.cwd())
    transcript = folder / f"{session}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    earlier = (
        [json.loads(line) for line in transcript.read_text().splitlines()] if transcript.exists() else []
    )
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "control_request":
            response = {"subtype": "success", "request_id": message["request_id"], "response": {}}
            send({"type": "control_response", "response": response})
        if message["type"] != "user":
            continue
        turns = sum(each["type"] == "user" for each in earlier) + 1
        text = [{"type": "text", "text": f"This is turn {turns}."}]
        entries = [
            entry("user", session, message["message"]["content"]),
            entry("assistant", session, text),
        ]
        with transcript.open("a") as file:
            file.writelines(json.dumps(each) + "\n" for each in entries)
        send({"type": "transcript_mirror", "filePath": str(transcript), "entries": entries})
        reply = {"role": "assistant", "model": "scripted", "content": text}
        send({"type": "assistant", "message": reply, "session_id": session})
        send(
            {
                "type": "result",
                "subtype": "success",
                "session_id": session,
                "is_error": False,
                "num_turns": turns,
                "duration_ms": 0,
                "duration_api_ms": 0,
                "result": text[0]["text"],
            }
        )


if __name__ == "__main__":
    main()
