"""The tasks of an agent's plan."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import AliasChoices, Field

from sessionbucket.models._base import CheckedOnReadModel, is_empty, is_none, new_list


class TaskStatus(StrEnum):
    """The status of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class TaskPriority(StrEnum):
    """The priority of a task."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Task(CheckedOnReadModel):
    """One step of a plan. ``dependencies`` are the ids of the tasks before it.

    Files of older versions call ``content`` ``description``. That name is read when ``content`` is missing, and never written.
    """

    required_on_read: ClassVar = ("status",)

    id: str
    content: str = Field(validation_alias=AliasChoices("content", "description"))
    status: TaskStatus = TaskStatus.PENDING
    priority: TaskPriority = TaskPriority.MEDIUM
    tool: str | None = Field(default=None, exclude_if=is_none)
    dependencies: list[str] = Field(default_factory=new_list, exclude_if=is_empty)
    success_criteria: str | None = Field(default=None, exclude_if=is_none)
