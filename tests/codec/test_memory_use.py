"""The memory that a save and a load of a large session take, in multiples of its text."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from sessionbucket._codec import Codec, codec_of
from sessionbucket.models import SessionData

REAL = Path(__file__).parent.parent / "fixtures" / "real"
SIZE = 3_000_000


@pytest.fixture(scope="module")
def codec() -> Codec[SessionData]:
    return codec_of(SessionData)


@pytest.fixture(scope="module")
def body(codec: Codec[SessionData]) -> bytes:
    """The text of a session of 3 MB, made of the messages of all real conversations."""
    sessions = [codec.decode(path.read_bytes(), key="k") for path in sorted(REAL.glob("*.json"))]
    messages = [message for session in sessions for message in session.messages]
    once = len(codec.encode(SessionData(id="large", messages=messages), key="k"))
    return codec.encode(SessionData(id="large", messages=messages * (SIZE // once + 1)), key="k")


def peak(work: Callable[[], object]) -> int:
    """The largest number of bytes that Python allocated during the work."""
    tracemalloc.start()
    try:
        kept = work()
        del kept
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_save_takes_only_the_memory_of_its_text(codec: Codec[SessionData], body: bytes):
    session = codec.decode(body, key="k", is_printed=True)
    assert peak(lambda: codec.encode(session, key="k")) < 1.1 * len(body)


def test_a_load_takes_only_the_memory_of_its_models(codec: Codec[SessionData], body: bytes):
    models = peak(lambda: codec.decode(body, key="k", is_printed=True))
    assert models < 3.3 * len(body)
    assert peak(lambda: codec.decode(body, key="k")) < models + 1.1 * len(body)
