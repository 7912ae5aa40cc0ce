"""Content types and metadata are checked before a request, with the same rules on every bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.locations import ENGINES, Location
from sessionbucket import InvalidArgumentError, open_store

BAD_VALUES = ["a\r\nb", "a\nb", "a\0b", "\ud800", "é", "日本", " a", "a ", "a\tb", "a\x7f"]
NEVER_A_VALUE = [None, 5, b"a"]


@pytest.fixture(params=ENGINES)
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    return location_of(request.param)


@pytest.fixture
def store(location: Location) -> Iterator[Any]:
    with open_store(location.url()) as store:
        yield store


@pytest.fixture
def keys(store: Any, location: Location) -> Callable[[], list[str]]:
    """Returns the keys at the location."""
    return lambda: [info.key for info in store.bucket.list_page(location.key("")).objects]


@pytest.mark.parametrize("value", [*BAD_VALUES, ""])
def test_a_content_type_that_no_header_can_carry_is_refused(
    store: Any, location: Location, keys: Callable[[], list[str]], value: str
):
    with pytest.raises(InvalidArgumentError, match="content type"):
        store.bucket.put(location.key("k"), b"x", content_type=value)
    with pytest.raises(InvalidArgumentError, match="content type"):
        store.bucket.put_stream(location.key("k"), iter([b"x"]), content_type=value)
    if value:
        with pytest.raises(InvalidArgumentError, match="content type"):
            store.put_file("s", "x", b"x", content_type=value)
    assert keys() == []


@pytest.mark.parametrize("value", [*BAD_VALUES, *NEVER_A_VALUE])
def test_metadata_that_no_header_can_carry_is_refused(
    store: Any, location: Location, keys: Callable[[], list[str]], value: Any
):
    with pytest.raises(InvalidArgumentError, match="metadata"):
        store.bucket.put(location.key("k"), b"x", metadata={"name": value})
    with pytest.raises(InvalidArgumentError, match="metadata"):
        store.bucket.put(location.key("k"), b"x", metadata={value: "value"})
    assert keys() == []


def test_metadata_is_limited_to_the_bytes_that_s3_allows(
    store: Any, location: Location, keys: Callable[[], list[str]]
):
    most = 2048 - len("name") - len("crc32") - 8
    store.bucket.put(location.key("most"), b"x", metadata={"name": "v" * most})
    with pytest.raises(InvalidArgumentError, match="2,048"):
        store.bucket.put(location.key("more"), b"x", metadata={"name": "v" * (most + 1)})
    assert keys() == [location.key("most")]
