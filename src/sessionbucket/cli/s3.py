"""``s3``: an S3 server on this machine."""

from __future__ import annotations

import re
import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import typer

from sessionbucket import ENVIRONMENT_VARIABLE
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.testing.seaweedfs import SeaweedServer
from sessionbucket.testing.server_process import GRPC_OFFSET, is_free

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def serve_s3(bucket: str, *, folder: Path | None, port: int) -> None:
    """Run SeaweedFS with a bucket until it is interrupted or terminated. Only ``folder`` remains."""
    if not _BUCKET_NAME.fullmatch(bucket):
        raise InvalidArgumentError(
            f"bucket {bucket!r} is refused: a name has 3 to 63 lower-case letters, digits and hyphens"
        )
    if not is_free(port, with_grpc=True):
        raise InvalidArgumentError(
            f"port {port} is refused: it is taken, or {port + GRPC_OFFSET} is, which SeaweedFS also needs; choose another with --port"
        )
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(KeyboardInterrupt), SeaweedServer(folder=folder, port=port) as server:
        server.ensure_bucket(bucket)
        _say(f"SeaweedFS runs at {server.endpoint_url}; its data {_lifetime(folder)}. Ctrl-C stops it.")
        _say("For another terminal:")
        for name, value in {ENVIRONMENT_VARIABLE: server.store_url(bucket), **server.environment()}.items():
            typer.echo(f"export {name}={shlex.quote(value)}")
        server.wait()
    _say("\nSeaweedFS is stopped.")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _lifetime(folder: Path | None) -> str:
    return f"is kept in {folder}" if folder else "is removed when it stops"


def _say(message: str) -> None:
    typer.echo(message, err=True)
