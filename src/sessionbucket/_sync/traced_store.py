# Generated from sessionbucket/_async/traced_store.py by scripts/generate_sync.py: do not edit.
"""A session store that reports its operations to OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sessionbucket._core.arguments import check_kind
from sessionbucket._core.telemetry import Telemetry
from sessionbucket._sync.base_store import SessionT
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.store import SessionStore

if TYPE_CHECKING:
    from sessionbucket._sync.lease import Lease
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport


class TracedSessionStore(SessionStore[SessionT]):
    """A session store with a span and metrics for each ``load``, ``save``, ``update``, ``save_turn`` and ``delete``.

    ``open_store(…, telemetry=True)`` makes one, with its ``TracingBucket``. A span has the conversation's id, the outcome, the number
    of attempts, and the bytes that were sent and received.
    """

    def __init__(self, bucket: Bucket, prefix: str = "", *, telemetry: Telemetry, **options: Any) -> None:
        """``bucket`` is the ``TracingBucket`` of this telemetry, or a wrapper over it. ``options`` are those of ``SessionStore``.

        Raises ``NotSupportedError`` when opentelemetry-api is not installed.
        """
        super().__init__(bucket, prefix, **options)
        check_kind("telemetry", telemetry, Telemetry)
        self._instruments = telemetry.instruments

    def save(
        self,
        session: SessionT,
        *,
        overwrite: bool = False,
        if_version: str | None = None,
        lease: Lease | None = None,
    ) -> None:
        with self._instruments.operation("save", _id_of(session), self.backend_name):
            super().save(session, overwrite=overwrite, if_version=if_version, lease=lease)

    def load(self, id: str) -> SessionT | None:
        with self._instruments.operation("load", id, self.backend_name) as requests:
            session = super().load(id)
            requests.outcome = "missing" if session is None else "loaded"
            return session

    def update(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | None],
        *,
        attempts: int = 10,
        create: Callable[[], SessionT] | None = None,
    ) -> SessionT:
        with self._instruments.operation("update", id, self.backend_name):
            return super().update(id, change, attempts=attempts, create=create)

    def delete(self, id: str) -> None:
        with self._instruments.operation("delete", id, self.backend_name):
            super().delete(id)

    def save_turn(
        self,
        session: SessionT,
        *,
        artifacts: ArtifactStore | None = None,
        trace_events: Sequence[TraceEvent] | None = None,
        verification_reports: Sequence[VerificationReport] | None = None,
        overwrite: bool = False,
        lease: Lease | None = None,
    ) -> None:
        with self._instruments.operation("save_turn", _id_of(session), self.backend_name):
            super().save_turn(
                session,
                artifacts=artifacts,
                trace_events=trace_events,
                verification_reports=verification_reports,
                overwrite=overwrite,
                lease=lease,
            )


def _id_of(session: object) -> str:
    return str(getattr(session, "id", ""))
