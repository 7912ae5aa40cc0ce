"""``sessionbucket web``: what it opens, what it refuses, and the address that it prints."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from base64 import b64encode
from http.cookiejar import CookieJar

import pytest
import uvicorn

import sessionbucket.cli.web
import sessionbucket.web.serving
from cli.command_line import Command, restore_interrupts
from sessionbucket import Keyring, SessionStore, open_store
from web.viewing import Viewer, make_session


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Command:
    for name in ("SESSIONBUCKET_URL", "SESSIONBUCKET_KEYRING"):
        monkeypatch.delenv(name, raising=False)
    return Command()


@pytest.fixture
def opened_urls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that a browser would have opened, by a server that ends at once."""
    urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", urls.append)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: None)
    return urls


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first page of each store that the command would have served."""
    pages: list[str] = []

    def show(store: SessionStore, **_: object) -> None:
        pages.append(Viewer(store).get("/"))

    monkeypatch.setattr(sessionbucket.web.serving, "serve", show)
    return pages


def test_it_prints_the_address_and_opens_it(run, opened_urls, tmp_path):
    out = run.ok("web", str(tmp_path), "--host", "127.0.0.1")
    (url,) = re.findall(r"http://\S+", out)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", url)
    assert opened_urls == [url]


def test_it_need_not_open_a_browser(run, opened_urls, tmp_path):
    assert "token=" in run.ok("web", str(tmp_path), "--no-open")
    assert opened_urls == []


def test_another_address_needs_two_options(run, opened_urls, tmp_path):
    for host in ("0.0.0.0", "::", "192.168.1.5", "viewer.example"):
        assert "--allow-other-machines" in run.error("web", str(tmp_path), "--host", host)
    assert "http://0.0.0.0:" in run.ok("web", str(tmp_path), "--host", "0.0.0.0", "--allow-other-machines")


def test_a_port_that_is_taken_is_an_error(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "choose another with --port" in run.error("web", str(tmp_path), "--port", port)


@pytest.mark.parametrize("arguments", [(), ("/nowhere/at/all",), ("s3://bucket?bad=1",)])
def test_a_store_that_cannot_be_opened_is_an_error(run, opened_urls, arguments):
    run.error("web", *arguments)
    assert opened_urls == []


def test_the_demo_comes_before_the_store_of_the_environment(run, shown, tmp_path, monkeypatch):
    monkeypatch.setenv("SESSIONBUCKET_URL", str(tmp_path))
    run.ok("web", "--demo")
    assert "Weekly report on refunds" in shown[0]


def test_a_store_and_the_demo_contradict_each_other(run, tmp_path):
    assert "contradict" in run.error("web", str(tmp_path), "--demo")
    assert "contradict" in run.error("web", "--store", str(tmp_path), "--demo")


@pytest.mark.parametrize("name", ["jinja2", "ormsgpack", "starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(run, tmp_path, monkeypatch, name):
    monkeypatch.setattr(sessionbucket.cli.web, "find_spec", lambda asked: None if asked == name else object())
    assert "pip install 'sessionbucket[web]'" in run.error("web", str(tmp_path))


def test_any_store_is_shown(run, shown, tmp_path):
    with open_store(tmp_path.as_uri()) as store:
        store.save(make_session("a", "in a folder"))
    run.ok("web", tmp_path.as_uri())
    with open_store("memory://shown/prefix") as store:
        store.save(make_session("a", "in memory"))
    run.ok("web", "memory://shown/prefix")
    assert "in a folder" in shown[0]
    assert "in memory" in shown[1]


def test_an_encrypted_store_is_shown_with_its_keys(run, shown, tmp_path):
    keys = Keyring({"k": bytes(range(32))}, primary="k")
    with open_store(tmp_path.as_uri(), encryption=keys) as store:
        store.save(make_session("a", "a secret text"))
    keyring = tmp_path.with_suffix(".keys")
    text = b64encode(bytes(range(32))).decode()
    keyring.write_text(json.dumps({"primary": "k", "keys": {"k": text}}))
    run.ok("--keyring", str(keyring), "web", str(tmp_path))
    assert "a secret text" in shown[0]


def test_the_demo_runs_until_it_is_interrupted():
    command = [sys.executable, "-m", "sessionbucket.cli", "web", "--demo", "--no-open"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        preexec_fn=restore_interrupts,
    ) as process:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with browser.open(url) as response:
            assert response.url == url.partition("?")[0]
            assert "Weekly report on refunds" in response.read().decode()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
