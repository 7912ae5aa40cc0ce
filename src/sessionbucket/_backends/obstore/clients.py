"""obstore's clients of one bucket, made on first use and kept. obstore calls a client a store."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.util import find_spec
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sessionbucket._backends.connection_options import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_MAX_POOL_CONNECTIONS,
    DEFAULT_READ_TIMEOUT,
    DEFAULT_RETRY_TIMEOUT,
)
from sessionbucket._backends.endpoints import location_of, partition_of
from sessionbucket._backends.obstore.credentials import Credentials, Server, find_credentials, find_server
from sessionbucket._backends.obstore.options import ObstoreOptions, account_of, location_in_cloud
from sessionbucket._backends.time_limits import SLOWEST_TRANSFER, request_seconds
from sessionbucket._core.forks import reset_after_fork
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import NotSupportedError

_UNBOUNDED = timedelta(days=1)
"""The time limit of a whole stream. Its reader limits the time in which the chunks arrive."""
_BACKOFF = {"init_backoff": timedelta(milliseconds=20), "max_backoff": timedelta(seconds=1), "base": 2}


_process: int | None = None
"""The process that has started obstore's runtime."""


class _Use(NamedTuple):
    """The use of a client."""

    seconds: int = 0
    """Seconds to add to the read timeout."""
    attempts: int = 1
    single_deletes: bool = False
    streams: bool = False


class ObstoreClients:
    """A client for small bodies, one for each magnitude of larger bodies, and one for streams.

    obstore's timeouts are properties of a client: that of a read, which includes the time in which a body is sent, and that of a
    whole request with its response. So a large body needs a client with longer ones. Only the client for the parts of uploads retries
    by itself: the library must know which attempt of a save got the response.
    """

    def __init__(self, bucket: str, cloud: Cloud, options: ObstoreOptions, *, session: Any) -> None:
        """Raises ``NotSupportedError`` without obstore."""
        if find_spec("obstore") is None:
            raise NotSupportedError("engine obstore needs obstore: install sessionbucket[obstore]")
        self._bucket = bucket
        self._cloud = cloud
        self._options = options
        self._session = session
        self._found: tuple[Server, str] | None = None
        self.connect_timeout = options.get("connect_timeout", DEFAULT_CONNECT_TIMEOUT)
        self.read_timeout = options.get("read_timeout", DEFAULT_READ_TIMEOUT)
        self._credentials: Credentials | None = None
        self._made: dict[_Use, Any] = {}
        self._lock = Lock()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = Lock()

    @property
    def location(self) -> str:
        """The location of the bucket. The first use loads botocore if AWS's configuration files exist."""
        return self._find_server()[1]

    @property
    def is_of_cloud(self) -> bool:
        """Whether the bucket is in the cloud itself, not on another server."""
        endpoint, region = self._find_server()[0]
        return partition_of(endpoint, region) is not None if self._cloud == "s3" else endpoint is None

    def _find_server(self) -> tuple[Server, str]:
        if self._found is None:
            if self._cloud == "s3":
                server = find_server(self._options, self._session)
                location = location_of(self._bucket, server.endpoint, partition_of(*server))
            else:
                server = Server(self._options.get("endpoint_url"), None)
                location = location_in_cloud(self._bucket, self._cloud, self._options)
            self._found = server, location
        return self._found

    def client(self, *, transferring: int = 0) -> Any:
        """The client for a request that sends or receives a body of this many bytes."""
        seconds = transferring // SLOWEST_TRANSFER
        return self._kept(_Use(seconds=0 if seconds <= self.read_timeout else 1 << seconds.bit_length()))

    def streams(self) -> Any:
        """The client for responses that are read in chunks, for as long as the caller wants."""
        return self._kept(_Use(streams=True))

    def uploads(self, part: int) -> Any:
        """The client for uploads in parts of this many bytes. It retries the requests of parts by itself."""
        attempts = self._options.get("max_attempts", DEFAULT_MAX_ATTEMPTS)
        return self._kept(_Use(seconds=1 << (part // SLOWEST_TRANSFER).bit_length(), attempts=attempts))

    def single_deletes(self) -> Any:
        """The client that deletes one key by one request, for single deletes and for servers without DeleteObjects."""
        return self._kept(_Use(single_deletes=True))

    def _kept(self, use: _Use) -> Any:
        global _process  # noqa: PLW0603 (obstore has one runtime in a process)
        if _process is None:
            _process = os.getpid()
        elif _process != os.getpid():
            raise NotSupportedError(
                f"{self.location}: obstore was used before this process was forked, and its threads do not exist here; "
                "open the store in the child process only (multiprocessing: start method spawn; gunicorn: without --preload), "
                "or use engine=boto3 or aioboto3"
            )
        with self._lock:
            if use not in self._made:
                self._made[use] = self._make(use)
            return self._made[use]

    def _make(self, use: _Use) -> Any:
        from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415 (an extra)

        common: Any = {
            "client_options": self._client_options(use),
            "retry_config": {
                "max_retries": use.attempts - 1,
                "retry_timeout": timedelta(seconds=self._options.get("retry_timeout", DEFAULT_RETRY_TIMEOUT)),
                "backoff": _BACKOFF,
            },
        }
        match self._cloud:
            case "s3":
                self._credentials = self._credentials or find_credentials(
                    self._options, self._session, self.location
                )
                region, provider = self._credentials.region, self._credentials.provider
                config: Any = self._s3_config(region) | {"disable_bulk_delete": use.single_deletes}
                return S3Store(self._bucket, config=config, credential_provider=provider, **common)
            case "gs":
                endpoint = self._options.get("endpoint_url")
                return GCSStore(self._bucket, config={"base_url": endpoint} if endpoint else {}, **common)
            case "az":
                return AzureStore(self._bucket, config=self._azure_config(), **common)

    def _client_options(self, use: _Use) -> dict[str, Any]:
        endpoint = self._find_server()[0].endpoint
        seconds = request_seconds(self.connect_timeout, self.read_timeout) + use.seconds
        return {
            "allow_http": bool(endpoint) and urlsplit(endpoint).scheme == "http",
            "connect_timeout": timedelta(seconds=self.connect_timeout),
            "read_timeout": timedelta(seconds=self.read_timeout + use.seconds),
            "timeout": _UNBOUNDED if use.streams else timedelta(seconds=seconds),
            "pool_max_idle_per_host": str(
                self._options.get("max_pool_connections", DEFAULT_MAX_POOL_CONNECTIONS)
            ),
            "user_agent": "sessionbucket",
        }

    def _s3_config(self, region: str | None) -> dict[str, Any]:
        style = self._options.get("addressing_style", "auto")
        endpoint = self._find_server()[0].endpoint
        # As in boto3: the bucket is in the path for a server that is not AWS, and for a name that no certificate covers.
        virtual = style == "virtual" or (style == "auto" and not endpoint and "." not in self._bucket)
        if endpoint and virtual:
            scheme, host = endpoint.split("://", 1)
            endpoint = f"{scheme}://{self._bucket}.{host}"
        config = {
            "endpoint": endpoint,
            "region": region,
            "virtual_hosted_style_request": virtual,
            "conditional_put": "etag",
            "checksum_algorithm": "SHA256",  # the signature needs it anyway
            "server_side_encryption": self._options.get("sse"),
            "sse_kms_key_id": self._options.get("sse_kms_key_id"),
        }
        return {name: value for name, value in config.items() if value not in (None, "")}

    def _azure_config(self) -> Any:
        config = {"account_name": account_of(self._options), "endpoint": self._account_endpoint()}
        return {name: value for name, value in config.items() if value}

    def _account_endpoint(self) -> str | None:
        """The endpoint of any other server has the account in its path."""
        endpoint, account = self._options.get("endpoint_url"), account_of(self._options)
        return f"{endpoint}/{account}" if endpoint and account else endpoint

    def close(self) -> None:
        """Drop the clients and their connections."""
        with self._lock:
            self._made.clear()
