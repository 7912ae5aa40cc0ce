"""GET requests as a browser sends them: without credentials, and without any of our code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import urlopen


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str) -> Response:
    try:
        with urlopen(url, timeout=10) as response:
            return Response(response.status, response.headers, response.read())
    except HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read())
