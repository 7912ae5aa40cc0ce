"""boto3: one client, made on first use."""

from __future__ import annotations

from threading import Lock
from typing import Any

from sessionbucket._engines.timestamps import reading_times_quickly
from sessionbucket._s3.options import S3Options, client_arguments, client_config


class Connection:
    """The client of one bucket. A caller's own client is used as it is, and never closed."""

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        self._options = options
        self._session = session
        self._client = client
        self._own = client is None
        self._lock = Lock()

    @property
    def may_repeat_silently(self) -> bool:
        """Whether the client may have sent a request twice without telling: botocore counts its retries."""
        return False

    def client(self) -> Any:
        """The client, made now if there is none yet."""
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        import boto3  # noqa: PLC0415 (slow to import)
        import botocore.session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        session = self._session or boto3.Session(
            profile_name=self._options.get("profile"),
            botocore_session=reading_times_quickly(botocore.session.get_session()),
        )
        return session.client(
            "s3", config=Config(**client_config(self._options)), **client_arguments(self._options)
        )

    def close(self) -> None:
        """Close the client, if it is ours."""
        with self._lock:
            if self._own and self._client is not None:
                self._client.close()
                self._client = None
