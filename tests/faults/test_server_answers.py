"""Every refusal of a server is one error of ours, which names the place and says what to do; none takes forever.

Time is bounded by the number of requests, each of which ends within its timeouts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import act_and_answer, answer, break_off, drop_answer, strip, succeed_with
from faults.proxy import requests
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


@dataclass(frozen=True)
class Refusal:
    """What a server answers, and what is made of it."""

    status: int
    code: str
    error: type[SessionBucketError]
    advice: str
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.code


FINAL = [
    Refusal(403, "AccessDenied", AccessDeniedError, "without it S3 answers a missing key like this"),
    Refusal(403, "InvalidAccessKeyId", AccessDeniedError, "correct"),
    Refusal(403, "SignatureDoesNotMatch", AccessDeniedError, "correct"),
    Refusal(400, "ExpiredToken", AccessDeniedError, "renew"),
    Refusal(400, "InvalidToken", AccessDeniedError, "renew"),
    Refusal(403, "RequestTimeTooSkewed", AccessDeniedError, "clock"),
    Refusal(404, "NoSuchBucket", BucketNotFoundError, "create it"),
    Refusal(
        301,
        "PermanentRedirect",
        InvalidArgumentError,
        "set `region`",
        (("x-amz-bucket-region", "eu-west-1"),),
    ),
    Refusal(
        400,
        "AuthorizationHeaderMalformed",
        InvalidArgumentError,
        "set `region`",
        (("x-amz-bucket-region", "eu-west-1"),),
    ),
    Refusal(501, "NotImplemented", NotSupportedError, "does not support"),
    Refusal(405, "MethodNotAllowed", NotSupportedError, "does not support"),
]
PASSING = [
    Refusal(503, "SlowDown", StoreUnavailableError, "try again"),
    Refusal(503, "ServiceUnavailable", StoreUnavailableError, "try again"),
    Refusal(500, "InternalError", StoreUnavailableError, "try again"),
    Refusal(502, "BadGateway", StoreUnavailableError, "try again"),
    Refusal(504, "GatewayTimeout", StoreUnavailableError, "try again"),
    Refusal(400, "RequestTimeout", StoreUnavailableError, "try again"),
    Refusal(429, "TooManyRequests", StoreUnavailableError, "try again"),
]


def of(refusals: list[Refusal]) -> list[tuple[Refusal, str]]:
    """Each refusal with each call, but for HEAD where its answer tells nothing: 400, and 404, have no code there."""
    return [
        (refusal, call)
        for refusal in refusals
        for call in CALLS
        if call != "exists" or refusal.status not in (400, 404)
    ]


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    """The answers are scripted, so one server will do."""
    return str(request.param)


def refused(site: Site, refusal: Refusal, call: str) -> SessionBucketError:
    """The error of the call while every request gets that answer."""
    store = site.store(max_attempts=ATTEMPTS)
    site.proxy.reset()
    site.proxy.on(requests(), answer(refusal.status, refusal.code, dict(refusal.headers)), times=None)
    with pytest.raises(SessionBucketError) as caught:
        CALLS[call](store)
    assert type(caught.value) is refusal.error
    assert caught.value.__cause__ is not None
    message = str(caught.value)
    assert site.bucket in message
    assert site.proxy.url in message
    assert call == "list" or f"{site.prefix}/{KEY}" in message
    return caught.value


@pytest.mark.parametrize(("refusal", "call"), of(FINAL), ids=str)
def test_a_final_refusal_is_not_tried_again(site: Site, refusal: Refusal, call: str) -> None:
    error = refused(site, refusal, call)
    of_head = "access is denied" if refusal.status == 403 else refusal.advice
    assert (of_head if call == "exists" else refusal.advice) in str(error)
    redirects = refusal.advice == "set `region`"  # botocore follows to the bucket's region, once
    assert len(site.proxy.seen) <= (3 if redirects else 1)


@pytest.mark.parametrize(("refusal", "call"), of(PASSING), ids=str)
def test_a_passing_refusal_is_tried_as_often_as_was_asked_for(
    site: Site, refusal: Refusal, call: str
) -> None:
    error = refused(site, refusal, call)
    assert refusal.advice in str(error)
    if call == "save":
        assert site.proxy.count("PUT") == ATTEMPTS
        # botocore asks for the bucket, too, where a HEAD is answered 400: it might be in another region
        assert site.proxy.count("HEAD") <= 2 * ATTEMPTS
        assert error.outcome == "unknown"
    else:
        assert len(site.proxy.seen) == ATTEMPTS


@pytest.mark.parametrize(("refusal", "call"), of(PASSING), ids=str)
def test_a_refusal_that_passes_does_no_harm(site: Site, refusal: Refusal, call: str) -> None:
    store = site.store()
    site.proxy.on(requests(), answer(refusal.status, refusal.code))
    CALLS[call](store)
    assert len(site.proxy.seen) == (3 if call == "save" else 2)
    if call in ("save", "overwrite"):
        assert site.keys() == [KEY]


def test_a_call_is_tried_once_where_no_time_is_left(site: Site) -> None:
    site.proxy.on(requests(), answer(503, "SlowDown"), times=None)
    store = site.store(retry_timeout=0.0)
    with pytest.raises(StoreUnavailableError):
        store.load("s")
    assert len(site.proxy.seen) == 1
    with pytest.raises(StoreUnavailableError):
        store.save(SessionData(id="s"))
    assert [seen.method for seen in site.proxy.seen[1:]] == ["PUT", "HEAD"]


def test_two_conditional_requests_that_met_are_tried_again(site: Site) -> None:
    """S3 answers 409 ConditionalRequestConflict when a conflicting request is under way: nothing is settled yet."""
    site.proxy.on(PUT, answer(409, "ConditionalRequestConflict"), times=2)
    site.store().save(SessionData(id="s", tool_names=["first"]))
    assert site.proxy.count("PUT", KEY) == 3
    assert site.someone_else().load("s").tool_names == ["first"]


def test_requests_that_keep_meeting_end_in_an_error_and_nothing_is_written(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    site.proxy.on(PUT, answer(409, "ConditionalRequestConflict"), times=None)
    with pytest.raises(StoreUnavailableError, match="try again") as caught:
        store.save(SessionData(id="s"))
    assert caught.value.outcome == "not written"
    assert site.proxy.count("PUT", KEY) == ATTEMPTS
    assert site.keys() == []


def test_the_one_of_two_that_met_who_lost_gets_a_conflict(site: Site) -> None:
    site.proxy.on(PUT, answer(409, "ConditionalRequestConflict"))
    site.someone_else().save(SessionData(id="s", tool_names=["other"]))
    with pytest.raises(SessionConflictError):
        site.store().save(SessionData(id="s", tool_names=["first"]))
    assert site.someone_else().load("s").tool_names == ["other"]


@pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (404, "NoSuchKey")])
def test_a_condition_that_does_not_hold_is_a_conflict_at_once(site: Site, status: int, code: str) -> None:
    """To If-Match on a missing key AWS answers 404, and other servers 412."""
    store = site.store()
    session = SessionData(id="s")
    store.save(session)
    site.proxy.reset()
    site.proxy.on(PUT, answer(status, code))
    session.tool_names.append("second")
    with pytest.raises(SessionConflictError, match="load it again") as caught:
        store.save(session)
    assert caught.value.outcome == "not written"
    assert len(site.proxy.seen) == 1
    message = str(caught.value)
    assert site.prefix in message
    assert site.proxy.url in message
    assert site.bucket in message


def test_a_bucket_that_does_not_exist_is_named(site: Site) -> None:
    site.bucket = "no-such-bucket"
    store = site.store()
    for call in (*CALLS.values(), lambda store: store.health_check()):
        if call is CALLS["exists"]:
            continue  # an answer to HEAD does not tell a missing bucket from a missing key
        with pytest.raises(BucketNotFoundError, match="no-such-bucket"):
            call(store)


@pytest.mark.parametrize("server", ["seaweed"], indirect=True)
def test_wrong_credentials_are_said_to_be_wrong(site: Site) -> None:
    session = site.side.aws_session(
        aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1"
    )
    bucket = site.side.s3_bucket(site.bucket, session=session, endpoint_url=site.proxy.url)
    try:
        with pytest.raises(AccessDeniedError, match="credentials"):
            site.side.store(bucket, site.prefix).load("s")
    finally:
        site.side.close_bucket(bucket)


def test_missing_credentials_are_said_to_be_missing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    bucket = site.side.s3_bucket(site.bucket, endpoint_url=site.proxy.url)
    try:
        with pytest.raises(AccessDeniedError, match="AWS_ACCESS_KEY_ID") as caught:
            site.side.store(bucket, site.prefix).load("s")
    finally:
        site.side.close_bucket(bucket)
    assert site.proxy.url in str(caught.value)
    assert site.proxy.seen == []


def test_a_bucket_of_another_region_is_found_when_the_server_tells_the_region(site: Site) -> None:
    """botocore follows the server there; obstore does not."""
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    site.proxy.on(
        requests("GET", KEY), answer(301, "PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"})
    )
    if "obstore" in site.side.name:
        with pytest.raises(InvalidArgumentError, match="set `region`"):
            store.load("s")
    else:
        assert store.load("s").tool_names == ["first"]


def test_a_refusal_does_not_hide_that_an_earlier_request_had_no_answer(site: Site) -> None:
    """The credentials end between the first request, which was done, and the second."""
    site.proxy.on(PUT, drop_answer)
    site.proxy.on(requests(), answer(400, "ExpiredToken"), times=None)
    with pytest.raises(SessionConflictError, match="not known") as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"
    assert site.keys() == [KEY]


def test_a_lost_save_is_unknown_where_the_credentials_may_write_and_not_read(site: Site) -> None:
    site.proxy.on(requests("HEAD"), answer(403, "AccessDenied"), times=None)
    site.proxy.on(PUT, drop_answer)
    with pytest.raises(SessionConflictError, match="not known") as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"


def test_errors_inside_the_answer_to_a_delete_are_errors(site: Site) -> None:
    """DeleteObjects answers 200, and says in its body which keys it could not delete."""
    key = f"{site.prefix}/traces/{KEY}"
    store = site.store()
    store.save(SessionData(id="s"))
    refusal = f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    site.proxy.on(requests("POST", "?delete"), succeed_with(f"<DeleteResult>{refusal}</DeleteResult>"))
    with pytest.raises(DeleteIncompleteError, match="AccessDenied") as caught:
        store.delete("s")
    assert caught.value.keys == [key]
    assert site.keys() == [KEY]  # the session goes last, so the delete can be seen and repeated
    store.delete("s")
    assert site.keys() == []


def test_a_server_without_batch_deletes_gets_single_ones_and_their_errors_are_errors(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    store.save(SessionData(id="s"))
    site.proxy.on(requests("POST"), answer(501, "NotImplemented"), times=None)
    site.proxy.on(requests("DELETE"), answer(403, "AccessDenied"), times=2)
    with pytest.raises(DeleteIncompleteError, match="access is denied") as caught:
        store.delete("s")
    assert len(caught.value.keys) == 2
    assert site.keys() == [KEY]
    store.delete("s")
    assert site.keys() == []


def test_a_save_that_was_done_and_answered_503_is_not_done_twice(site: Site) -> None:
    site.proxy.on(PUT, act_and_answer(503, "SlowDown"))
    site.store().save(SessionData(id="s"))
    assert site.proxy.count("PUT", KEY) == 1


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (412, "PreconditionFailed")])
def test_a_refusal_whose_body_breaks_off_is_no_answer_and_the_save_is_done_once(
    site: Site, status: int, code: str, acted: bool
) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.proxy.reset()
    site.proxy.on(PUT, break_off(status, code, acted=acted))
    session.tool_names.append("second")
    store.save(session)
    assert [seen.method for seen in site.proxy.seen] == ["PUT", "HEAD", *([] if acted else ["PUT"])]
    assert site.someone_else().load("s").tool_names == ["first", "second"]
    session.tool_names.append("third")
    store.save(session)  # it knows which version it became


def test_refusals_whose_bodies_keep_breaking_off_leave_the_outcome_unknown(site: Site) -> None:
    site.proxy.on(PUT, break_off(503, "SlowDown"), times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=ATTEMPTS).save(SessionData(id="s"))
    assert caught.value.outcome == "unknown"
    assert caught.value.__cause__ is not None
    assert site.proxy.count("PUT", KEY) == ATTEMPTS
    assert site.keys() == []


def test_a_condition_that_is_lost_on_the_way_loses_the_update(site: Site) -> None:
    """Why a server that ignores conditions is refused: this proves that nothing but the server keeps them."""
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.someone_else().update("s", lambda session: session.tool_names.append("other"))
    site.proxy.on(PUT, strip("If-Match"))
    store.save(session)
    assert site.someone_else().load("s").tool_names == ["first"]
