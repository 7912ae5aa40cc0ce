"""moto's S3, in this process and as a server; both serve one request at a time.

moto checks a condition and then writes. So of two racing writers both could win, if they did not take turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from sessionbucket.errors import NotSupportedError
from sessionbucket.testing.environment import REGION

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.serving import BaseWSGIServer

_MISSING = "moto is not installed: pip install 'sessionbucket[testing]'"


class MotoServer:
    """A moto server on the loopback address, in a thread of this process. Use it as a context manager.

    It accepts any credentials. moto has one state in a process: a ``mock_aws`` that starts or stops while this server runs
    empties it, unless it is called otherwise (``mock_aws().start(reset=False)``, ``stop(remove_data=False)``).
    """

    def __init__(self) -> None:
        self.endpoint_url = ""
        self._server: BaseWSGIServer | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Start it on a free port. Raises ``NotSupportedError`` when moto is not installed."""
        try:
            from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 (slow to import)
                DomainDispatcherApplication,
                create_backend_app,
            )
            from werkzeug.serving import make_server  # noqa: PLC0415
        except ImportError as error:
            raise NotSupportedError(_MISSING) from error
        application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, application, threaded=True)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def store_url(self, bucket: str, prefix: str = "") -> str:
        """The URL of a store in a bucket of this server."""
        return f"s3://{bucket}/{prefix}?" + urlencode({"endpoint_url": self.endpoint_url, "region": REGION})

    def stop(self) -> None:
        """Stop the server. Its data stays in moto's state of this process."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _OneAtATime:
    """A WSGI application whose requests take turns. Their responses are sent side by side, since a client may read slowly."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return self._application(environ, start_response)


@contextmanager
def moto_bucket(name: str) -> Iterator[None]:
    """A bucket in moto's state, for its server and for this process; removed at the end with all its objects.

    Raises ``NotSupportedError`` when moto is not installed.
    """
    try:
        from moto.core.models import DEFAULT_ACCOUNT_ID  # noqa: PLC0415 (slow to import)
        from moto.s3.models import s3_backends  # noqa: PLC0415
    except ImportError as error:
        raise NotSupportedError(_MISSING) from error
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(name, REGION)
    try:
        yield
    finally:
        if name in backend.buckets:  # a `mock_aws` of the test's own may have removed it
            backend.buckets[name].keys.clear()
            backend.delete_bucket(name)


@contextmanager
def mocked_aws() -> Iterator[Any]:
    """Let moto respond to boto3 in this process, and return a boto3 session whose requests take turns.

    moto's state stays unchanged at the start and at the end.
    """
    import boto3  # noqa: PLC0415 (slow to import)
    from moto import mock_aws  # noqa: PLC0415
    from moto.core.models import botocore_stubber  # noqa: PLC0415

    turns = Lock()

    def respond(event_name: str, request: Any, **arguments: Any) -> Any:
        with turns:
            return botocore_stubber(event_name, request, **arguments)

    mock = mock_aws()
    mock.start(reset=False)
    try:
        session = boto3.Session(region_name=REGION)
        session.events.unregister("before-send", botocore_stubber)  # every handler of an event is called
        session.events.register("before-send", respond)
        yield session
    finally:
        mock.stop(remove_data=False)
