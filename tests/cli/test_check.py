from __future__ import annotations

from cli.command_line import add_parts, make_session, tree


def test_a_healthy_store_is_ok(run, store, url):
    shown = run.ok("check", "--store", url)
    assert url in shown
    assert "file" in shown
    assert "conditional writes: atomic" in shown
    assert "ok" in shown
    assert tree(url) == {}


def test_a_missing_folder_is_not_healthy_and_not_created(run, tmp_path):
    missing = tmp_path / "missing"
    result = run("check", "--store", missing.as_uri())
    assert result.exit_code == 1
    assert missing.as_uri() in result.stdout
    assert "ok" not in result.stdout
    assert result.stderr.startswith("error: ")
    assert not missing.exists()


def test_a_server_that_is_not_there_is_one_readable_line(run, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    result = run(
        "check",
        "--store",
        "s3://bucket/prefix?endpoint_url=http://127.0.0.1:9&region=us-east-1&max_attempts=1",
    )
    assert result.exit_code == 1
    assert "no connection could be made" in result.stderr
    assert "very-secret" not in result.output


def test_every_session_is_read_when_asked_for(run, store, url, tmp_path):
    store.save(make_session("a"))
    assert "0 findings" in run.ok("check", "--sessions", "--store", url)
    add_parts(store, "gone")
    (tmp_path / "store" / "broken.json").write_bytes(b'{"secret text"')
    before = tree(url)
    result = run("check", "--sessions", "--store", url)
    assert result.exit_code == 1
    assert "corrupted\tbroken.json\t" in result.stdout
    assert "orphan\ttraces/gone.json\t" in result.stdout
    assert "secret text" not in result.output
    assert tree(url) == before
    assert "findings" not in run.ok("check", "--store", url)
