"""obstore's stores for one bucket, made on first use and kept."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sessionbucket._backends.obstore.credentials import Credentials, find_credentials
from sessionbucket._backends.obstore.options import ObstoreOptions, account_of
from sessionbucket._backends.s3.options import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_ATTEMPTS,
    DEFAULT_MAX_POOL_CONNECTIONS,
    DEFAULT_READ_TIMEOUT,
    DEFAULT_RETRY_TIMEOUT,
)
from sessionbucket._backends.s3.requests import endpoint_of
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import NotSupportedError

_SLOWEST = 64 * 1024
"""Bytes a second below which an upload counts as stalled."""
_UNBOUNDED = timedelta(days=1)
"""Of a whole request. Silence is bounded by the read timeout; a long download is none."""
_BACKOFF = {"init_backoff": timedelta(milliseconds=20), "max_backoff": timedelta(seconds=1), "base": 2}


class _Use(NamedTuple):
    """What a store is for."""

    seconds: int = 0
    """How much longer than others its requests may be silent."""
    tries: int = 1
    single_deletes: bool = False


class Stores:
    """A store for requests that send little, and one for each magnitude of what others send.

    obstore's read timeout counts from the beginning of a request and covers the time that its body takes to be sent, so
    a large body needs a longer one, and a timeout is a property of a store. But for the parts of uploads no store repeats
    a request by itself: sessionbucket has to know which try of a save was answered.
    """

    def __init__(
        self, bucket: str, cloud: Cloud, options: ObstoreOptions, session: Any, location: str
    ) -> None:
        self._bucket = bucket
        self._cloud = cloud
        self._options = options
        self._session = session
        self._location = location
        self.read_timeout = options.get("read_timeout", DEFAULT_READ_TIMEOUT)
        self._credentials: Credentials | None = None
        self._made: dict[_Use, Any] = {}
        self._lock = Lock()

    def store(self, *, sending: int = 0) -> Any:
        """The store for a request whose body has so many bytes."""
        seconds = sending // _SLOWEST
        return self._kept(_Use(seconds=0 if seconds <= self.read_timeout else 1 << seconds.bit_length()))

    def uploads(self, part: int) -> Any:
        """The store for uploads in parts of so many bytes. It repeats the requests for parts by itself."""
        tries = self._options.get("max_attempts", DEFAULT_MAX_ATTEMPTS)
        return self._kept(_Use(seconds=1 << (part // _SLOWEST).bit_length(), tries=tries))

    def single_deletes(self) -> Any:
        """The store that deletes key by key, for single deletes and for servers without DeleteObjects."""
        return self._kept(_Use(single_deletes=True))

    def _kept(self, use: _Use) -> Any:
        with self._lock:
            if use not in self._made:
                self._made[use] = self._make(use)
            return self._made[use]

    def _make(self, use: _Use) -> Any:
        try:
            from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise NotSupportedError("engine obstore needs obstore: install sessionbucket[obstore]") from error
        common: Any = {
            "client_options": self._client_options(use.seconds),
            "retry_config": {
                "max_retries": use.tries - 1,
                "retry_timeout": timedelta(seconds=self._options.get("retry_timeout", DEFAULT_RETRY_TIMEOUT)),
                "backoff": _BACKOFF,
            },
        }
        match self._cloud:
            case "s3":
                self._credentials = self._credentials or find_credentials(
                    self._options, self._session, self._location
                )
                region, provider = self._credentials.region, self._credentials.provider
                config: Any = self._s3_config(region) | {"disable_bulk_delete": use.single_deletes}
                return S3Store(self._bucket, config=config, credential_provider=provider, **common)
            case "gs":
                endpoint = self._options.get("endpoint_url")
                return GCSStore(self._bucket, config={"base_url": endpoint} if endpoint else {}, **common)
            case "az":
                return AzureStore(self._bucket, config=self._azure_config(), **common)

    def _client_options(self, seconds: int) -> dict[str, Any]:
        endpoint = self._endpoint()
        return {
            "allow_http": bool(endpoint) and urlsplit(endpoint).scheme == "http",
            "connect_timeout": timedelta(
                seconds=self._options.get("connect_timeout", DEFAULT_CONNECT_TIMEOUT)
            ),
            "read_timeout": timedelta(seconds=self.read_timeout + seconds),
            "timeout": _UNBOUNDED,
            "pool_max_idle_per_host": str(
                self._options.get("max_pool_connections", DEFAULT_MAX_POOL_CONNECTIONS)
            ),
            "user_agent": "sessionbucket",
        }

    def _endpoint(self) -> str:
        given = self._options.get("endpoint_url")
        return (endpoint_of(given) if self._cloud == "s3" else given) or ""

    def _s3_config(self, region: str | None) -> dict[str, Any]:
        style = self._options.get("addressing_style", "auto")
        endpoint = self._endpoint()
        # As boto3 decides: a server of one's own is asked by path, and so is a bucket whose name no certificate fits.
        virtual = style == "virtual" or (style == "auto" and not endpoint and "." not in self._bucket)
        if endpoint and virtual:
            scheme, host = endpoint.split("://", 1)
            endpoint = f"{scheme}://{self._bucket}.{host}"
        config = {
            "endpoint": endpoint,
            "region": region,
            "virtual_hosted_style_request": virtual,
            "conditional_put": "etag",
            "checksum_algorithm": "SHA256",  # which the signature needs anyway
            "server_side_encryption": self._options.get("sse"),
            "sse_kms_key_id": self._options.get("sse_kms_key_id"),
        }
        return {name: value for name, value in config.items() if value not in (None, "")}

    def _azure_config(self) -> Any:
        config = {"account_name": account_of(self._options), "endpoint": self._account_endpoint()}
        return {name: value for name, value in config.items() if value}

    def _account_endpoint(self) -> str | None:
        """A server of one's own has the account in its path."""
        endpoint, account = self._options.get("endpoint_url"), account_of(self._options)
        return f"{endpoint}/{account}" if endpoint and account else endpoint

    def close(self) -> None:
        """Let go of the stores and their connections."""
        with self._lock:
            self._made.clear()
