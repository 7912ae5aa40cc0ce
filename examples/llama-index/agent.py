"""A chat of LlamaIndex whose history is in a bucket or a folder. It needs no network: its model follows a script.

python agent.py URL SESSION MESSAGE
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index.core.memory import ChatMemoryBuffer

from sessionbucket.integrations.llama_index import BucketChatStore


class ScriptedModel(MockLLM):
    """Repeats what the user has said so far. A real chat has a model of a provider here."""

    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        said = [str(message.content) for message in messages if message.role == "user"]
        return ChatResponse(message=ChatMessage(role="assistant", content=f"You said: {', '.join(said)}."))


def main(url: str, session_id: str, text: str) -> None:
    store = BucketChatStore(url)
    memory = ChatMemoryBuffer.from_defaults(
        chat_store=store, chat_store_key=session_id, tokenizer_fn=str.split
    )
    print(SimpleChatEngine.from_defaults(llm=ScriptedModel(), memory=memory).chat(text).response)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
