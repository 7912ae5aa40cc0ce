"""A storage and a session repository for Strands Agents."""

from sessionbucket.integrations.strands.repository import BucketSessionRepository
from sessionbucket.integrations.strands.storage import BucketStorage

__all__ = ["BucketSessionRepository", "BucketStorage"]
