"""LangGraph: checkpoints and long-term memory in a bucket or a folder."""

from sessionbucket.integrations.langgraph.saver import BucketSaver
from sessionbucket.integrations.langgraph.store import BucketStore

__all__ = ["BucketSaver", "BucketStore"]
