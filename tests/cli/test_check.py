"""``check``: the health of a store, its findings, and their repair."""

from __future__ import annotations

import os

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


def test_a_missing_server_is_one_readable_line(run, monkeypatch):
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


def test_every_session_is_read_except_with_quick(run, store, url, tmp_path):
    store.save(make_session("a"))
    assert "0 findings" in run.ok("check", "--store", url)
    add_parts(store, "gone")
    (tmp_path / "store" / "broken.json").write_bytes(b'{"secret text"')
    before = tree(url)
    result = run("check", "--store", url)
    assert result.exit_code == 1
    assert "corrupted\tbroken.json\t" in result.stdout
    assert "orphan\ttraces/gone.json\t" in result.stdout
    assert "secret text" not in result.output
    assert tree(url) == before
    assert "findings" not in run.ok("check", "--quick", "--store", url)


def test_a_repair_shows_the_findings_and_asks_before_it_removes_them(run, store, url, tmp_path):
    store.save(make_session("a"))
    key = f".sessionbucket/tmp/{0:032x}.tmp"
    temporary = tmp_path / "store" / key
    temporary.parent.mkdir(exist_ok=True)
    temporary.write_bytes(b"cut off")
    os.utime(temporary, (0, 0))
    declined = run("check", "--repair", "--store", url, input="n\n")
    assert f"stale\t{key}\t" in declined.stdout
    assert declined.exit_code != 0
    assert temporary.exists()
    assert "1 object removed" in run.ok("check", "--repair", "--yes", "--store", url)
    assert not temporary.exists()
    assert store.exists("a")


def test_a_repair_leaves_findings_that_are_not_safe_to_remove(run, store, url, tmp_path):
    (tmp_path / "store").mkdir(exist_ok=True)
    (tmp_path / "store" / "broken.json").write_bytes(b"{")
    result = run("check", "--repair", "--yes", "--store", url)
    assert result.exit_code == 1
    assert "nothing is safe to remove" in result.stdout
    assert (tmp_path / "store" / "broken.json").exists()
