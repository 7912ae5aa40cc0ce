"""Sessions, histories and workflow checkpoints of Microsoft Agent Framework in a bucket or folder.

Usage::

    from agent_framework import Agent
    from sessionbucket.integrations.agent_framework import BucketHistoryProvider

    agent = Agent(client, context_providers=[BucketHistoryProvider("s3://my-bucket/agents")])
    await agent.run("Hello", session=agent.create_session(session_id="user-7"))
"""

from sessionbucket.integrations.agent_framework.checkpoints import BucketCheckpointStorage
from sessionbucket.integrations.agent_framework.sessions import BucketHistoryProvider, BucketSessionStore

__all__ = ["BucketCheckpointStorage", "BucketHistoryProvider", "BucketSessionStore"]
