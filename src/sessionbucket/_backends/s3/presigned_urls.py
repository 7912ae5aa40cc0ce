"""Links to objects: what they answer with, and how a client signs them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote


def saved_as(filename: str) -> dict[str, str]:
    """The parameters of a link whose answer is saved under a name (RFC 6266), and never shown.

    What an agent wrote may be HTML: shown, its scripts would run in the origin of the bucket.
    """
    return {"ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}"}


def sign_for_every_region(client: Any) -> None:
    """Let a client of ours sign links with Signature Version 4, and for the endpoint that it sends requests to.

    In regions older than 2014 botocore signs links with Signature Version 2, which S3 refuses for objects under KMS keys,
    and in all of them for the global endpoint, which answers for a bucket of another region with a redirect that breaks
    the signature while the bucket is new.
    """
    events = client.meta.events
    events.register_first("choose-signer.s3", _the_fourth_version)
    events.register_first("provide-client-params.s3.GetObject", _at_the_regions_endpoint)


def _the_fourth_version(signature_version: object, **_: Any) -> str | None:
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


def _at_the_regions_endpoint(context: dict[str, Any], **_: Any) -> None:
    if "use_global_endpoint" in context:
        context["use_global_endpoint"] = False
