"""Keys of encrypted stores from AWS KMS: data keys, which KMS wraps with a key that never leaves it."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionbucket._core.arguments import check_items, check_text
from sessionbucket._core.forks import reset_after_fork
from sessionbucket._core.keyring import KEY_BYTES, EncryptionContext, EncryptionKey, KeyProvider
from sessionbucket.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    SessionBucketError,
    SessionCorruptedError,
    StoreUnavailableError,
    shorten,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")
_PURPOSE = {"application": "sessionbucket"}
"""KMS unwraps a data key only for the purpose that it was made for, so no data key of another program is accepted."""

_MOST_WRITES = 1000
_MOST_CACHED = 1000
_LONGEST_CACHE = timedelta(days=1)
_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_TEMPORARY = frozenset({"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"})


_of_parents: list[Any] = []
"""Clients of parent processes. Their end would wait for locks that another thread held at the fork."""


class _Cached(NamedTuple):
    key: bytes
    until: float


class KmsKeyring(KeyProvider):
    """Data keys of AWS KMS. A data key encrypts the writes of a few minutes, and each object carries it wrapped by KMS.

    Without the KMS key, every object that was encrypted with it is lost. The credentials need ``kms:GenerateDataKey`` for writes, and
    ``kms:Decrypt`` for reads.
    """

    def __init__(
        self,
        key_arn: str,
        *,
        older: Sequence[str] = (),
        cache: timedelta = timedelta(minutes=5),
        client: Any = None,
    ) -> None:
        """``key_arn`` is the ARN of a symmetric KMS key, no alias; ``older`` has the ARNs of keys that only decrypt. A data key is
        used for ``cache`` and at most 1,000 writes, and stays in memory as long: at most one day, and 0 asks KMS for each object.
        ``client`` is a boto3 client of KMS; by default boto3 finds the credentials, for the region in the ARN.

        Raises ``InvalidArgumentError`` for a bad ARN or time. Sends no request.
        """
        check_items("older", older)
        self._regions = {arn: _region("key_arn", arn) for arn in [key_arn]}
        self._regions |= {arn: _region("each of older", arn) for arn in older}
        if not isinstance(cache, timedelta) or not timedelta(0) <= cache <= _LONGEST_CACHE:
            raise InvalidArgumentError(
                "cache is refused: it must be a timedelta of at most one day, and not negative"
            )
        self.key_arn = key_arn
        self._cache_seconds = cache.total_seconds()
        self._given = client
        self._clients: dict[str, Any] = {}
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = Lock()
        _of_parents.extend(self._clients.values())
        self._clients = {}
        self._current: EncryptionKey | None = None
        self._until = 0.0
        self._writes_left = 0
        self._unwrapped: OrderedDict[tuple[str, bytes], _Cached] = OrderedDict()

    def __repr__(self) -> str:
        return f"<KmsKeyring {self.key_arn}>"

    def key_for_write(self, context: EncryptionContext) -> EncryptionKey:
        with self._lock:
            if self._current is None or not self._writes_left or time.monotonic() >= self._until:
                self._current = self._new_data_key(context)
                self._until = time.monotonic() + self._cache_seconds
                self._writes_left = _MOST_WRITES
            self._writes_left -= 1
            return self._current

    def _new_data_key(self, context: EncryptionContext) -> EncryptionKey:
        response = self._request("generate_data_key", self.key_arn, context, NumberOfBytes=KEY_BYTES)
        made = EncryptionKey(self.key_arn, response["Plaintext"], response["CiphertextBlob"])
        self._remember(made.id, made.wrapped, made.key)
        return made

    def key(self, id: str, wrapped: bytes, context: EncryptionContext) -> bytes | None:
        if id not in self._regions:
            return None
        with self._lock:
            found = self._unwrapped.get((id, wrapped))
        if found and time.monotonic() < found.until:
            return found.key
        key: bytes = self._request("decrypt", id, context, CiphertextBlob=wrapped)["Plaintext"]
        with self._lock:
            self._remember(id, wrapped, key)
        return key

    def _remember(self, id: str, wrapped: bytes, key: bytes) -> None:
        self._unwrapped[id, wrapped] = _Cached(key, time.monotonic() + self._cache_seconds)
        while len(self._unwrapped) > _MOST_CACHED:
            self._unwrapped.popitem(last=False)

    def _request(self, operation: str, arn: str, context: EncryptionContext, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            send = getattr(self._client(self._regions[arn]), operation)
            return send(KeyId=arn, EncryptionContext=_PURPOSE, **arguments)
        except ClientError as error:
            raise _translated(error, arn, context) from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise StoreUnavailableError(
                f"KMS could not be asked ({type(error).__name__}); check the credentials, the network and the endpoint, and try again",
                location=arn,
                key=context.key,
            ) from error

    def _client(self, region: str) -> Any:
        if self._given is not None:
            return self._given
        if region not in self._clients:
            from botocore.config import Config  # noqa: PLC0415 (slow to import)
            from botocore.session import Session  # noqa: PLC0415

            retries = {"mode": "standard", "total_max_attempts": 3}
            config = Config(connect_timeout=2, read_timeout=6, retries=retries)
            self._clients[region] = Session().create_client("kms", region_name=region, config=config)
        return self._clients[region]


def _region(name: str, arn: str) -> str:
    check_text(name, arn)
    found = _ARN.fullmatch(arn)
    if found is None:
        raise InvalidArgumentError(
            f"{name} {shorten(arn)} is refused: it must be the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>, and no alias"
        )
    return found[1]


def _translated(error: ClientError, arn: str, context: EncryptionContext) -> SessionBucketError:
    response: Any = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_OURS:
        return SessionCorruptedError(context.key, f"its wrapped key is not one of {arn} ({code})")
    if code in _TEMPORARY or "Throttl" in code or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailableError(f"KMS responded {code}; try again later", location=arn, key=context.key)
    return AccessDeniedError(
        f"KMS refuses the key ({code}); it must be enabled, and the credentials need kms:GenerateDataKey and kms:Decrypt",
        location=arn,
        key=context.key,
    )
