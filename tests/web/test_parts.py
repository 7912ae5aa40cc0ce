"""Files, artifacts, traces, reports, forks, versions and usage: shown, downloaded, and broken on their own."""

from __future__ import annotations

import pytest

from sessionbucket import AccessDeniedError, MemoryBucket, Message, SessionStore, open_store
from sessionbucket.models import (
    ArtifactStore,
    ToolArtifact,
    TraceEvent,
    VerificationCheck,
    VerificationReport,
    VerificationStatus,
)
from sessionbucket.web import timeline
from web.viewing import Viewer, ids_in, link, make_session, text_of


@pytest.fixture(autouse=True)
def _session(store) -> None:
    store.save(make_session("chat"))


def event(name: str, milliseconds: int, *, success: bool = True) -> TraceEvent:
    return TraceEvent.tool_execution(
        name, success=success, exit_code=0 if success else 2, duration=milliseconds / 1000, output_bytes=10
    )


@pytest.mark.parametrize(
    "name", ["notes.html", "sub/folder/image.svg", 'a "quoted"; name.txt', "ü\u202e.pdf"]
)
def test_a_file_is_a_download_that_no_browser_shows(store, viewed, name):
    data = b"<script>alert(1)</script>" * 100_000
    store.put_file("chat", name, data, content_type="text/html")
    page = viewed.get("/session/files?id=chat")
    assert "2.5 MB" in text_of(page)
    response = viewed.client.get("/session/file", params={"id": "chat", "name": name})
    assert response.content == data
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''")
    assert not set(disposition) & set('"<>\r\n/')


def test_a_file_is_streamed(store, bucket, viewed):
    store.put_file("chat", "large.bin", iter([b"x" * 1_000_000] * 30))
    with viewed.client.stream("GET", "/session/file", params={"id": "chat", "name": "large.bin"}) as response:
        assert response.headers["content-length"] == "30000000"
        sizes = [len(chunk) for chunk in response.iter_raw()]
    assert sum(sizes) == 30_000_000
    assert "get_stream" in {call.operation for call in bucket.calls}
    assert not [call for call in bucket.calls if call.operation == "get" and "large" in call.keys[0]]


def test_an_artifact_is_shown_and_downloaded(store, viewed):
    artifact = ToolArtifact(
        artifact_id="a1",
        artifact_uri="artifact://a/1?x",
        tool_name="bash",
        content="an output ü",
        original_bytes=12,
        shown_bytes=12,
    )
    store.save_artifacts("chat", ArtifactStore(artifacts=[artifact]))
    page = viewed.get("/session/files?id=chat")
    assert "an output ü" in page
    response = viewed.client.get(link(page, "Download"))
    assert response.content == "an output ü".encode()
    assert response.headers["content-disposition"].startswith("attachment")


def test_a_missing_file_or_artifact_says_so(viewed):
    for path in ("/session/file?id=chat&name=none", "/session/artifact?id=chat&uri=none"):
        assert "does not exist" in text_of(viewed.get(path, status=404))


def test_trace_events_follow_each_other(store, viewed):
    store.save_trace_events(
        "chat", [event("read", 250), event("build", 750, success=False), event("quick", 0)]
    )
    page = viewed.get("/session/traces?id=chat")
    assert "3 events, 1.0 s in all, 1 failure" in text_of(page)
    for bar in ('x="0.0" y="1" width="25.0"', 'x="25.0" y="1" width="75.0"', 'x="99.6" y="1" width="0.4"'):
        assert bar in page
    assert 'aria-label="from 250 ms, for 750 ms"' in page
    assert "exit 2" in text_of(page)


def test_many_trace_events_have_pages(store, viewed, monkeypatch):
    monkeypatch.setattr(timeline, "EVENTS", 10)
    store.save_trace_events("chat", [event(f"tool-{number:02}", 5) for number in range(25)])
    page = viewed.get("/session/traces?id=chat")
    assert "25 events" in text_of(page)
    assert "tool-10" not in page
    assert "tool-10" in viewed.follow(page, "Next")


def test_a_report_shows_its_checks(store, viewed):
    check = VerificationCheck.required_check("c", "test", "The tests pass").with_status(
        VerificationStatus.FAILED
    )
    report = VerificationReport.new("The build", [check])
    report.add_residual_risk("untested on Windows")
    store.save_verification_reports("chat", [report])
    text = text_of(viewed.get("/session/reports?id=chat"))
    for words in ("The build", "failed", "The tests pass", "required", "untested on Windows"):
        assert words in text


def test_a_session_without_parts_says_so(viewed):
    assert "has no files" in text_of(viewed.get("/session/files?id=chat"))
    assert "has no trace events" in text_of(viewed.get("/session/traces?id=chat"))
    assert "has no verification reports" in text_of(viewed.get("/session/reports?id=chat"))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/session/files", "artifacts/chat/artifacts.json"),
        ("/session/traces", "traces/chat.json"),
        ("/session/reports", "verification/chat.json"),
    ],
)
def test_a_broken_part_says_so_and_the_rest_goes_on(store, bucket, viewed, path, key):
    store.put_file("chat", "whole.txt", b"whole")
    bucket.put(key, b"{broken")
    page = viewed.get(f"{path}?id=chat")
    assert "This part cannot be read" in text_of(page)
    assert ("whole.txt" in page) == (path == "/session/files")
    bucket.fail("get", key=key, times=None, error=AccessDeniedError("403 AccessDenied", location="memory://"))
    assert "403 AccessDenied" in text_of(viewed.get(f"{path}?id=chat"))


def test_the_history_lists_shows_and_compares_versions(store, viewed):
    session = store.load("chat")
    session.messages.append(Message.assistant("the second turn"))
    store.save(session)
    session.config.name = "renamed"
    session.messages.pop()
    session.messages.append(Message.assistant("another second turn"))
    store.save(session)
    history = viewed.get("/session/history?id=chat")
    assert text_of(history).count("Compare with the one before") == 2
    assert "the first that is kept" in text_of(history)
    newest, middle, _ = store.history.versions("chat")
    diff = text_of(viewed.follow(history, "Compare with the one before"))
    assert "1 message the same, 1 dropped, 1 added, 1 other change" in diff
    assert "the second turn" in diff
    assert "another second turn" in diff
    assert "config.name" in diff
    assert "renamed" in diff
    old = viewed.get(f"/session?id=chat&version={middle.version_id}")
    assert "An earlier version" in text_of(old)
    assert "another second turn" not in old
    assert f"version={newest.version_id}" in history


def test_a_deleted_session_keeps_its_history(store, viewed):
    store.delete("chat")
    history = viewed.get("/session/history?id=chat")
    assert "deleted" in text_of(history)
    (first,) = (version for version in store.history.versions("chat") if not version.is_delete)
    assert "hello" in viewed.get(f"/session?id=chat&version={first.version_id}")


def test_a_missing_version_says_so(viewed):
    assert "This version does not exist" in text_of(viewed.get("/session?id=chat&version=none", status=404))
    assert "This version does not exist" in text_of(
        viewed.get("/session/diff?id=chat&before=none", status=404)
    )


def test_a_bucket_without_versions_says_so():
    with SessionStore(MemoryBucket()) as store:
        store.save(make_session("chat"))
        text = text_of(Viewer(store).get("/session/history?id=chat"))
    assert "There is no history here" in text
    assert "keeps no versions" in text


def test_parents_and_forks_are_linked(store, viewed):
    store.fork("chat", "chat~2")
    store.fork("chat~2", "chat~3")
    store.save(make_session("unrelated"))
    page = viewed.get("/session/forks?id=chat~2")
    assert ids_in(page) == ["chat", "chat~3"]
    assert "1 fork among the 4 sessions searched" in text_of(page)
    store.delete("chat")
    assert "it does not exist any more" in text_of(viewed.get("/session/forks?id=chat~2"))


def test_parents_that_form_a_circle_end(store, viewed):
    for id, parent_id in (("a", "b"), ("b", "a")):
        store.save(make_session(id, parent_id=parent_id))
    assert ids_in(viewed.get("/session/forks?id=a")) == ["b", "b"]


def test_usage_adds_up(store, viewed):
    days = (1_700_000_000, 1_700_000_000, 1_700_200_000)
    for number, (day, owner, model) in enumerate(zip(days, "aab", "xyy", strict=True)):
        session = make_session(f"u{number}", principal=f"owner-{owner}", model_name=f"model-{model}")
        session.updated_at, session.total_cost, session.total_usage.total_tokens = day, 1.25, 1_000
        store.save(session)
    page = viewed.get("/usage?prefix=u")
    text = text_of(page)
    for words in (
        "$3.75",
        "3,000",
        "owner-a 2 2,000 $2.50",
        "owner-b 1 1,000 $1.25",
        "model-y 2 2,000 $2.50",
    ):
        assert words in text
    for title in ("2023-11-14: $2.50", "2023-11-15: $0.00", "2023-11-16: $0.00", "2023-11-17: $1.25"):
        assert f"<title>{title}</title>" in page


def test_usage_says_when_it_has_not_read_all(store, viewed, monkeypatch):
    monkeypatch.setattr("sessionbucket.web.viewed_store.CHUNK", 5)
    monkeypatch.setattr("sessionbucket.web.session_list.MOST_SORTED", 10)
    for number in range(30):
        store.save(make_session(f"u{number}"))
    assert "10 sessions, which are not all" in text_of(viewed.get("/usage"))


def test_a_bucket_on_a_server_is_shown_with_its_history(moto_url, moto_versioned_bucket):
    url = f"s3://{moto_versioned_bucket}/viewed"
    with open_store(url, endpoint_url=moto_url, region="us-east-1") as store:
        session = make_session("chat", "on a server")
        store.save(session)
        session.messages.append(Message.assistant("the second turn"))
        store.save(session)
        store.put_file("chat", "notes.txt", b"notes")
        viewed = Viewer(store)
        page = viewed.follow(viewed.get("/"), "on a server")
        assert "the second turn" in page
        assert "the second turn" in viewed.follow(
            viewed.follow(page, "History"), "Compare with the one before"
        )
        assert viewed.client.get(link(viewed.follow(page, "Files"), "notes.txt")).content == b"notes"
