"""A session store that reports its operations to OpenTelemetry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from sessionbucket._async.base_store import SessionT
from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.store import AsyncSessionStore
from sessionbucket._core.arguments import check_kind
from sessionbucket._core.telemetry import Telemetry

if TYPE_CHECKING:
    from sessionbucket._async.lease import AsyncLease
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport


class AsyncTracedSessionStore(AsyncSessionStore[SessionT]):
    """A session store with a span and metrics for each ``load``, ``save``, ``update``, ``save_turn`` and ``delete``.

    ``open_async_store(…, telemetry=True)`` makes one, with its ``AsyncTracingBucket``. A span has the conversation's id, the outcome, the number
    of attempts, and the bytes that were sent and received.
    """

    def __init__(
        self, bucket: AsyncBucket, prefix: str = "", *, telemetry: Telemetry, **options: Any
    ) -> None:
        """``bucket`` is the ``AsyncTracingBucket`` of this telemetry, or a wrapper over it. ``options`` are those of ``AsyncSessionStore``.

        Raises ``NotSupportedError`` when opentelemetry-api is not installed.
        """
        super().__init__(bucket, prefix, **options)
        check_kind("telemetry", telemetry, Telemetry)
        self._instruments = telemetry.instruments

    async def save(
        self,
        session: SessionT,
        *,
        overwrite: bool = False,
        if_version: str | None = None,
        lease: AsyncLease | None = None,
    ) -> None:
        with self._instruments.operation("save", _id_of(session), self.backend_name):
            await super().save(session, overwrite=overwrite, if_version=if_version, lease=lease)

    async def load(self, id: str) -> SessionT | None:
        with self._instruments.operation("load", id, self.backend_name) as requests:
            session = await super().load(id)
            requests.outcome = "missing" if session is None else "loaded"
            return session

    async def update(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | Awaitable[SessionT | None] | None],
        *,
        attempts: int = 10,
        create: Callable[[], SessionT] | None = None,
    ) -> SessionT:
        with self._instruments.operation("update", id, self.backend_name):
            return await super().update(id, change, attempts=attempts, create=create)

    async def delete(self, id: str) -> None:
        with self._instruments.operation("delete", id, self.backend_name):
            await super().delete(id)

    async def save_turn(
        self,
        session: SessionT,
        *,
        artifacts: ArtifactStore | None = None,
        trace_events: Sequence[TraceEvent] | None = None,
        verification_reports: Sequence[VerificationReport] | None = None,
        overwrite: bool = False,
        lease: AsyncLease | None = None,
    ) -> None:
        with self._instruments.operation("save_turn", _id_of(session), self.backend_name):
            await super().save_turn(
                session,
                artifacts=artifacts,
                trace_events=trace_events,
                verification_reports=verification_reports,
                overwrite=overwrite,
                lease=lease,
            )


def _id_of(session: object) -> str:
    return str(getattr(session, "id", ""))
