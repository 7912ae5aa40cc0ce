"""boto3: one client, made on first use.

Without a session of the caller's the client comes from botocore, which is what boto3 makes its own with: the settings are
found in the same places, and the resources, transfers and waiters that boto3 would load on top are not needed here.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from sessionbucket._backends.s3.client_settings import reading_times_quickly
from sessionbucket._backends.s3.options import S3Options, client_arguments, client_config
from sessionbucket._backends.s3.presigned_urls import sign_for_every_region


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
        from botocore.config import Config  # noqa: PLC0415 (slow to import)
        from botocore.session import Session  # noqa: PLC0415

        if self._session:
            create = self._session.client
        else:
            session = reading_times_quickly(Session(profile=self._options.get("profile")))
            create = session.create_client
        client = create(
            "s3", config=Config(**client_config(self._options)), **client_arguments(self._options)
        )
        sign_for_every_region(client)
        return client

    def close(self) -> None:
        """Close the client, if it is ours."""
        with self._lock:
            if self._own and self._client is not None:
                self._client.close()
                self._client = None
