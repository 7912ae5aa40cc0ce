"""Every error response becomes one of our errors, which names the location and says what to do, after a bounded time.

The number of requests bounds the time, because each request ends within its timeouts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.samples import artifacts_of, event_of
from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import act_and_respond, break_off, drop_response, respond, strip, succeed_with
from sessionbucket import (
    AccessDeniedError,
    BucketNotFoundError,
    DeleteIncompleteError,
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    StoreUnavailableError,
)

KEY = "s.json"
PUT = requests("PUT", KEY)
ATTEMPTS = 3

Call = Callable[[Any], object]
CALLS: dict[str, Call] = {
    "save": lambda store: store.save(SessionData(id="s")),
    "overwrite": lambda store: store.save(SessionData(id="s"), overwrite=True),
    "load": lambda store: store.load("s"),
    "exists": lambda store: store.exists("s"),
    "list": lambda store: store.list(),
}
EXPECTED_REQUESTS = {"save": 4, "overwrite": 4, "exists": 4, "load": 3}
BEGIN_WITH_HEAD = ("overwrite", "exists")
"""The calls whose first request is a HEAD: without a body, an error response to it has no code."""


@dataclass(frozen=True)
class ErrorResponse:
    """An error response of a server, and the library's error for it."""

    status: int
    code: str
    error: type[SessionBucketError]
    advice: str
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.code


PERMANENT = [
    ErrorResponse(
        403, "AccessDenied", AccessDeniedError, "without it, S3 gives this response for a missing key, too"
    ),
    ErrorResponse(403, "InvalidAccessKeyId", AccessDeniedError, "correct"),
    ErrorResponse(403, "SignatureDoesNotMatch", AccessDeniedError, "correct"),
    ErrorResponse(400, "ExpiredToken", AccessDeniedError, "renew"),
    ErrorResponse(400, "InvalidToken", AccessDeniedError, "renew"),
    ErrorResponse(403, "RequestTimeTooSkewed", AccessDeniedError, "clock"),
    ErrorResponse(404, "NoSuchBucket", BucketNotFoundError, "create it"),
    ErrorResponse(
        301,
        "PermanentRedirect",
        InvalidArgumentError,
        "set `region`",
        (("x-amz-bucket-region", "eu-west-1"),),
    ),
    ErrorResponse(
        400,
        "AuthorizationHeaderMalformed",
        InvalidArgumentError,
        "set `region`",
        (("x-amz-bucket-region", "eu-west-1"),),
    ),
    ErrorResponse(501, "NotImplemented", NotSupportedError, "does not support"),
    ErrorResponse(405, "MethodNotAllowed", NotSupportedError, "does not support"),
]
TEMPORARY = [
    ErrorResponse(503, "SlowDown", StoreUnavailableError, "try again"),
    ErrorResponse(503, "ServiceUnavailable", StoreUnavailableError, "try again"),
    ErrorResponse(500, "InternalError", StoreUnavailableError, "try again"),
    ErrorResponse(502, "BadGateway", StoreUnavailableError, "try again"),
    ErrorResponse(504, "GatewayTimeout", StoreUnavailableError, "try again"),
    ErrorResponse(400, "RequestTimeout", StoreUnavailableError, "try again"),
    ErrorResponse(429, "TooManyRequests", StoreUnavailableError, "try again"),
]


def with_calls(responses: list[ErrorResponse]) -> list[tuple[ErrorResponse, str]]:
    """Each response with each call, except HEAD with 400 and 404, which have no code there."""
    return [
        (response, call)
        for response in responses
        for call in CALLS
        if call not in BEGIN_WITH_HEAD or response.status not in (400, 404)
    ]


TEMPORARY_WITH_CALLS = [
    # The calls share their retries, so the fast run has every response with one write and one read only.
    case
    if case[0].code == "SlowDown" or case[1] in ("save", "load")
    else pytest.param(*case, marks=pytest.mark.slow)
    for case in with_calls(TEMPORARY)
]


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    """The proxy scripts the responses, so one server is enough."""
    return str(request.param)


def error_of(site: Site, response: ErrorResponse, call: str) -> SessionBucketError:
    """The error of the call when every request gets this response."""
    store = site.store(max_attempts=ATTEMPTS)
    site.proxy.reset()
    site.proxy.on(requests(), respond(response.status, response.code, dict(response.headers)), times=None)
    with pytest.raises(SessionBucketError) as caught:
        CALLS[call](store)
    assert type(caught.value) is response.error
    assert caught.value.__cause__ is not None
    message = str(caught.value)
    assert site.bucket in message
    assert site.proxy.url in message
    assert call == "list" or f"{site.prefix}/{KEY}" in message
    return caught.value


@pytest.mark.parametrize(("response", "call"), with_calls(PERMANENT), ids=str)
def test_a_permanent_error_is_not_retried(site: Site, response: ErrorResponse, call: str) -> None:
    error = error_of(site, response, call)
    of_head = "access is denied" if response.status == 403 else response.advice
    assert (of_head if call in BEGIN_WITH_HEAD else response.advice) in str(error)
    redirects = response.advice == "set `region`"  # botocore follows to the bucket's region once
    assert len(site.proxy.recorded) <= (3 if redirects else 1)


@pytest.mark.parametrize(("response", "call"), TEMPORARY_WITH_CALLS, ids=str)
def test_a_temporary_error_is_retried_max_attempts_times(
    site: Site, response: ErrorResponse, call: str
) -> None:
    error = error_of(site, response, call)
    assert response.advice in str(error)
    if call == "save":
        assert site.proxy.count("PUT") == ATTEMPTS
        # After a HEAD with 400 botocore also sends a HEAD of the bucket, which might be in another region.
        assert site.proxy.count("HEAD") <= 2 * ATTEMPTS
        assert error.outcome == "unknown"
    else:
        assert len(site.proxy.recorded) == ATTEMPTS


@pytest.mark.parametrize(("response", "call"), TEMPORARY_WITH_CALLS, ids=str)
def test_a_call_succeeds_after_a_temporary_error(site: Site, response: ErrorResponse, call: str) -> None:
    store = site.store()
    site.proxy.on(requests(), respond(response.status, response.code))
    CALLS[call](store)
    # moto's 404 to a HEAD has no request id, so a GET with S3's error code confirms it.
    # A load of a missing session and a listing also look for snapshots of a3s-code.
    assert len(site.proxy.recorded) == EXPECTED_REQUESTS.get(call, 2), [
        each.path for each in site.proxy.recorded
    ]
    if call in ("save", "overwrite"):
        assert site.keys() == [KEY]


def test_a_call_without_retry_time_is_sent_once(site: Site) -> None:
    site.proxy.on(requests(), respond(503, "SlowDown"), times=None)
    store = site.store(retry_timeout=0.0)
    with pytest.raises(StoreUnavailableError):
        store.load("s")
    assert len(site.proxy.recorded) == 1
    with pytest.raises(StoreUnavailableError):
        store.save(SessionData(id="s"))
    assert [request.method for request in site.proxy.recorded[1:]] == ["PUT", "HEAD"]


def test_a_put_that_collides_with_another_is_sent_again(site: Site) -> None:
    """S3 responds 409 ConditionalRequestConflict while a conflicting request is under way, which proves no conflict yet."""
    site.proxy.on(PUT, respond(409, "ConditionalRequestConflict"), times=2)
    site.store().save(SessionData(id="s", tool_names=["first"]))
    assert site.proxy.count("PUT", KEY) == 3
    assert site.someone_else().load("s").tool_names == ["first"]


def test_a_put_that_always_collides_fails_and_nothing_is_written(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    site.proxy.on(PUT, respond(409, "ConditionalRequestConflict"), times=None)
    with pytest.raises(StoreUnavailableError, match="try again") as caught:
        store.save(SessionData(id="s"))
    assert caught.value.outcome == "not written"
    assert site.proxy.count("PUT", KEY) == ATTEMPTS
    assert site.keys() == []


def test_a_put_that_collided_and_lost_is_a_conflict(site: Site) -> None:
    site.proxy.on(PUT, respond(409, "ConditionalRequestConflict"))
    site.someone_else().save(SessionData(id="s", tool_names=["other"]))
    with pytest.raises(SessionConflictError):
        site.store().save(SessionData(id="s", tool_names=["first"]))
    assert site.someone_else().load("s").tool_names == ["other"]


@pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (404, "NoSuchKey")])
def test_a_condition_that_does_not_hold_is_a_conflict_at_once(site: Site, status: int, code: str) -> None:
    """For If-Match on a missing key AWS responds 404, and other servers 412."""
    store = site.store()
    session = SessionData(id="s")
    store.save(session)
    site.proxy.reset()
    site.proxy.on(PUT, respond(status, code))
    session.tool_names.append("second")
    with pytest.raises(SessionConflictError, match="load it again") as caught:
        store.save(session)
    assert caught.value.outcome == "not written"
    assert len(site.proxy.recorded) == 1
    message = str(caught.value)
    assert site.prefix in message
    assert site.proxy.url in message
    assert site.bucket in message


def test_the_error_for_a_missing_bucket_names_it(site: Site) -> None:
    site.bucket = "no-such-bucket"
    store = site.store()
    for call in (*CALLS.values(), lambda store: store.health_check()):
        if call is CALLS["exists"]:
            continue  # the response to a HEAD is the same for a missing bucket and a missing key
        with pytest.raises(BucketNotFoundError, match="no-such-bucket"):
            call(store)


@pytest.mark.parametrize("server", ["seaweed"], indirect=True)
def test_the_error_for_wrong_credentials_says_so(site: Site) -> None:
    session = site.side.aws_session(
        aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1"
    )
    bucket = site.side.s3_bucket(site.bucket, session=session, endpoint_url=site.proxy.url)
    try:
        with pytest.raises(AccessDeniedError, match="credentials"):
            site.side.store(bucket, site.prefix).load("s")
    finally:
        bucket.close()


def test_the_error_for_missing_credentials_names_the_variables(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    bucket = site.side.s3_bucket(site.bucket, endpoint_url=site.proxy.url)
    try:
        with pytest.raises(AccessDeniedError, match="AWS_ACCESS_KEY_ID") as caught:
            site.side.store(bucket, site.prefix).load("s")
    finally:
        bucket.close()
    assert site.proxy.url in str(caught.value)
    assert site.proxy.recorded == []


def test_a_redirect_to_another_region_is_followed_by_botocore_and_reported_by_obstore(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    site.proxy.on(
        requests("GET", KEY), respond(301, "PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"})
    )
    if "obstore" in site.side.name:
        with pytest.raises(InvalidArgumentError, match="set `region`"):
            store.load("s")
    else:
        assert store.load("s").tool_names == ["first"]


def test_an_error_does_not_hide_that_an_earlier_request_got_no_response(site: Site) -> None:
    """The credentials expire between the first request, which was done, and the second."""
    site.proxy.on(PUT, drop_response)
    site.proxy.on(requests(), respond(400, "ExpiredToken"), times=None)
    with pytest.raises(SessionConflictError, match="may or may not have been done") as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"
    assert site.keys() == [KEY]


def test_a_save_without_response_is_unknown_when_the_credentials_permit_no_read(site: Site) -> None:
    site.proxy.on(requests("HEAD"), respond(403, "AccessDenied"), times=None)
    site.proxy.on(PUT, drop_response)
    with pytest.raises(SessionConflictError, match="may or may not have been done") as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"


def test_errors_in_the_body_of_a_delete_response_are_errors(site: Site) -> None:
    """DeleteObjects responds 200, and its body names the keys that it could not delete."""
    key = f"{site.prefix}/traces/{KEY}"
    store = site.store()
    store.save_turn(SessionData(id="s"), trace_events=[event_of("x")], artifacts=artifacts_of("x"))
    failure = f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    site.proxy.on(requests("POST", "?delete"), succeed_with(f"<DeleteResult>{failure}</DeleteResult>"))
    with pytest.raises(DeleteIncompleteError, match="AccessDenied") as caught:
        store.delete("s")
    assert key in caught.value.keys
    assert site.keys().count(KEY) == 1  # the session is deleted last, so the delete can be repeated
    store.delete("s")
    assert site.keys() == []


def test_a_server_without_batch_deletes_gets_single_deletes_whose_errors_are_errors(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    store.save_turn(SessionData(id="s"), trace_events=[event_of("x")], artifacts=artifacts_of("x"))
    site.proxy.on(requests("POST"), respond(501, "NotImplemented"), times=None)
    site.proxy.on(requests("DELETE"), respond(403, "AccessDenied"), times=2)
    with pytest.raises(DeleteIncompleteError, match="access is denied") as caught:
        store.delete("s")
    assert len(caught.value.keys) == 2
    assert site.keys().count(KEY) == 1
    store.delete("s")
    assert site.keys() == []


def test_a_save_that_was_done_despite_a_503_is_not_sent_twice(site: Site) -> None:
    site.proxy.on(PUT, act_and_respond(503, "SlowDown"))
    site.store().save(SessionData(id="s"))
    assert site.proxy.count("PUT", KEY) == 1


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (412, "PreconditionFailed")])
def test_an_error_whose_body_breaks_off_proves_nothing_and_the_save_is_done_once(
    site: Site, status: int, code: str, acted: bool
) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.proxy.reset()
    site.proxy.on(PUT, break_off(status, code, acted=acted))
    session.tool_names.append("second")
    store.save(session)
    assert [request.method for request in site.proxy.recorded] == ["PUT", "HEAD", *([] if acted else ["PUT"])]
    assert site.someone_else().load("s").tool_names == ["first", "second"]
    session.tool_names.append("third")
    store.save(session)  # the save before recorded its version


def test_a_save_whose_error_bodies_all_break_off_is_unknown(site: Site) -> None:
    site.proxy.on(PUT, break_off(503, "SlowDown"), times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"
    assert caught.value.__cause__ is not None
    assert site.proxy.count("PUT", KEY) == ATTEMPTS
    assert site.keys() == []


def test_without_its_condition_a_save_loses_the_update_of_another_writer(site: Site) -> None:
    """Only the server enforces conditions, so a store must reject a server that ignores them."""
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.someone_else().update("s", lambda session: session.tool_names.append("other"))
    site.proxy.on(PUT, strip("If-Match"))
    store.save(session)
    assert site.someone_else().load("s").tool_names == ["first"]
