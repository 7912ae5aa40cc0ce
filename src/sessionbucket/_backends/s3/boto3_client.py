"""The boto3 client of one bucket, made on first use.

Unless the caller passes a session, the client comes from botocore, from which boto3 makes its own: botocore finds the settings in
the same places, and a store needs none of the resources, transfers and waiters that boto3 loads.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from sessionbucket._backends.s3.client_settings import (
    client_arguments,
    client_config,
    parse_times_quickly,
    presign_for_every_region,
)
from sessionbucket._backends.s3.options import S3Options


class Connection:
    """The client of one bucket. It uses a client of the caller's unchanged, and never closes it."""

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        self._options = options
        self._session = session
        self._client = client
        self._own = client is None
        self._lock = Lock()

    @property
    def may_repeat_silently(self) -> bool:
        """Whether the client may send a request twice without reporting it: botocore counts its retries."""
        return False

    def client(self) -> Any:
        """The client, which the first call makes."""
        if self._client is None:
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
            session = parse_times_quickly(Session(profile=self._options.get("profile")))
            create = session.create_client
        return create("s3", config=Config(**client_config(self._options)), **client_arguments(self._options))

    def presigning_client(self) -> Any:
        """The client, ready to presign URLs."""
        client = self.client()
        if self._own:
            presign_for_every_region(client)
        return client

    def close(self) -> None:
        """Close the client, unless it is the caller's."""
        with self._lock:
            if self._own and self._client is not None:
                self._client.close()
                self._client = None
