"""A session service and an artifact service for Google's Agent Development Kit (ADK)."""

from sessionbucket.integrations.google_adk.artifacts import BucketArtifactService
from sessionbucket.integrations.google_adk.sessions import BucketSessionService

__all__ = ["BucketArtifactService", "BucketSessionService"]
