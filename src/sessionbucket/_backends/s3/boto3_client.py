"""The boto3 client of one bucket, made on first use.

Unless the caller passes a session, the client comes from botocore, from which boto3 makes its own: botocore finds the settings in
the same places, and a store needs none of the resources, transfers and waiters that boto3 loads.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from sessionbucket._backends.endpoints import check_endpoint, configured_endpoint
from sessionbucket._backends.s3.client_settings import (
    client_arguments,
    client_config,
    parse_listings_quickly,
    presign_for_every_region,
)
from sessionbucket._backends.s3.options import S3Options, check_callers_own
from sessionbucket._core.forks import reset_after_fork

_of_parents: list[Any] = []
"""Clients of parent processes. Their end would wait for locks that another thread held at the fork."""


class Connection:
    """The client of one bucket. It uses a client of the caller's unchanged, and never closes it.

    After a fork, the child process makes its own client. It never uses a connection of its parent.
    """

    def __init__(self, options: S3Options, session: Any = None, client: Any = None) -> None:
        """Raises ``InvalidArgumentError`` for a session or client that is not one of boto3."""
        check_callers_own(session, client, is_async=False)
        self._options = options
        self._session = session
        self._given = client
        self._client = client
        self._lock = Lock()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = Lock()
        if self._given is not None:
            self._given.close()  # closes its idle connections in this process alone; it stays usable
        else:
            _of_parents.append(self._client)
            self._client = None

    @property
    def may_repeat_silently(self) -> bool:
        """Whether the client may send a request twice without reporting it: botocore counts its retries."""
        return False

    @property
    def endpoint(self) -> str | None:
        """The endpoint that the client uses; None means AWS."""
        if self._given is not None:
            return str(self._given.meta.endpoint_url)
        return self._options.get("endpoint_url") or configured_endpoint(self._botocore_session())

    @property
    def region(self) -> str | None:
        """The region that the client uses."""
        if self._given is not None:
            return str(self._given.meta.region_name)
        region = self._options.get("region") or self._botocore_session().get_config_variable("region")
        return str(region) if region else None

    def _botocore_session(self) -> Any:
        if self._session is None:
            from botocore.session import Session  # noqa: PLC0415 (slow to import)

            self._session = parse_listings_quickly(Session(profile=self._options.get("profile")))
        return getattr(self._session, "_session", self._session)

    def client(self) -> Any:
        """The client, which the first call makes."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._connect()
        return self._client

    def _connect(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 (slow to import)

        self._botocore_session()
        from sessionbucket._backends.s3.urllib3_session import TimedSession  # noqa: PLC0415

        create = getattr(self._session, "create_client", None) or self._session.client
        config = client_config(self._options)
        client = create("s3", config=Config(**config), **client_arguments(self._options))
        check_endpoint(client, self.endpoint)
        endpoint = client._endpoint  # noqa: SLF001 (botocore has no public option)
        endpoint.http_session = TimedSession(
            endpoint.http_session,
            connect_timeout=config["connect_timeout"],
            read_timeout=config["read_timeout"],
        )
        return client

    def presigning_client(self) -> Any:
        """The client, ready to presign URLs."""
        client = self.client()
        if self._given is None:
            presign_for_every_region(client)
        return client

    def close(self) -> None:
        """Close the client, unless it is the caller's."""
        with self._lock:
            if self._given is None and self._client is not None:
                self._client.close()
                self._client = None
