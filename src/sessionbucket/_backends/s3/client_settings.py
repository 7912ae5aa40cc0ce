"""How the library configures its own botocore and aiobotocore clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from sessionbucket._backends.connection_options import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_POOL_CONNECTIONS,
    DEFAULT_READ_TIMEOUT,
)
from sessionbucket._backends.s3.options import S3Options

_AFTER_THE_DATE = slice(10, 11)


def client_arguments(options: S3Options) -> dict[str, Any]:
    """The arguments of ``session.client("s3", …)`` except ``config``."""
    arguments = {"endpoint_url": options.get("endpoint_url"), "region_name": options.get("region")}
    return {name: value for name, value in arguments.items() if value is not None}


def client_config(options: S3Options) -> dict[str, Any]:
    """The arguments of botocore's ``Config``."""
    return {
        "connect_timeout": options.get("connect_timeout", DEFAULT_CONNECT_TIMEOUT),
        "read_timeout": options.get("read_timeout", DEFAULT_READ_TIMEOUT),
        # The store retries by itself, because it must know which attempt of a save got the response.
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": options.get("max_pool_connections", DEFAULT_MAX_POOL_CONNECTIONS),
        "s3": {"addressing_style": options.get("addressing_style", "auto")},
        "user_agent_extra": "sessionbucket",
    }


def parse_listings_quickly(session: Any) -> Any:
    """Make the clients of a botocore or aiobotocore session parse listings and times with less work, and return it.

    botocore tries every format of a time that it knows, and looks up each member of each row in its model of the service. The two
    take most of the CPU time of a listing.
    """
    factory = session.get_component("response_parser_factory")
    factory.set_parser_defaults(timestamp_parser=parse_time)
    session.register("before-parse.s3.ListObjectsV2", _parse_rows, "sessionbucket-rows")
    return session


def parse_time(text: Any) -> datetime:
    """The time in a response. Raises ``ValueError`` for text that is none."""
    from botocore.utils import parse_timestamp  # noqa: PLC0415 (slow to import)

    if isinstance(text, str) and text[_AFTER_THE_DATE] == "T":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    parsed: datetime = parse_timestamp(text)
    return parsed


def _parse_rows(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the objects out of the body of a listing, and leave the rest to botocore.

    botocore gets the whole body, and reports what is wrong with it, unless every row has a key, a size and a time.
    """
    try:
        root = ET.fromstring(response_dict["body"])  # noqa: S314 (botocore parses it in the same way)
        namespace = root.tag.removesuffix("ListBucketResult")
        if namespace == root.tag:
            return
        contents = f"{namespace}Contents"
        key, size, time, etag = (f"{namespace}{name}" for name in ("Key", "Size", "LastModified", "ETag"))
        rows, others = [], []
        for element in root:
            if element.tag != contents:
                others.append(element)
                continue
            texts = {member.tag: member.text for member in element}
            row = {
                "Key": texts[key] or "",
                "Size": int(texts[size] or ""),
                "LastModified": parse_time(texts[time]),
            }
            if etag in texts:
                row["ETag"] = texts[etag] or ""
            rows.append(row)
        root[:] = others
        rest = ET.tostring(root)
    except (ET.ParseError, KeyError, RecursionError, TypeError, ValueError):
        return
    if rows:
        response_dict["body"] = rest
        customized_response_dict["Contents"] = rows


def presign_for_every_region(client: Any) -> None:
    """Make a client presign with Signature Version 4, and for the endpoint that it sends requests to.

    In regions older than 2014, botocore presigns with Signature Version 2, which S3 refuses for objects under KMS keys. In
    all regions it presigns for the global endpoint, which redirects requests for a new bucket of another region and so
    breaks the signature.
    """
    # A unique id makes the second registration of a handler void.
    events = client.meta.events
    events.register_first("choose-signer.s3.GetObject", _signature_version, "sessionbucket-signature")
    events.register_first(
        "provide-client-params.s3.GetObject", _use_regional_endpoint, "sessionbucket-region"
    )


def _signature_version(signature_version: object, **_: Any) -> str | None:
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


def _use_regional_endpoint(context: dict[str, Any], **_: Any) -> None:
    if "use_global_endpoint" in context:
        context["use_global_endpoint"] = False
