"""An agent whose session survives its machine: each run has a new, empty configuration folder, and resumes from the URL.

``python agent.py URL "Hello"`` prints the id of a new session; ``python agent.py URL "Go on" --resume ID`` continues it, anywhere. It works
offline: ``scripted_claude.py`` stands in for Claude Code. Without ``cli_path``, the SDK starts the real one.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="s3://bucket/prefix, file:///folder, or any other URL of a store")
    parser.add_argument("text")
    parser.add_argument("--resume", help="the id of a session")
    arguments = parser.parse_args()

    store = BucketSessionStore(arguments.url)
    with tempfile.TemporaryDirectory() as folder:
        options = ClaudeAgentOptions(
            session_store=store,
            resume=arguments.resume,
            cli_path=Path(__file__).with_name("scripted_claude.py"),
            env={"CLAUDE_CONFIG_DIR": folder},
        )
        async for message in query(prompt=arguments.text, options=options):
            if isinstance(message, ResultMessage):
                print(message.session_id, message.result)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())
