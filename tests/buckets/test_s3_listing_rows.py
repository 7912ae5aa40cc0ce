"""The rows of listings are parsed like botocore parses them, but faster."""

from __future__ import annotations

from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session

from sessionbucket._backends.s3.client_settings import parse_listings_quickly

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ROW = (
    "<Contents><Key>a/%C3%A9%26+b.json</Key><LastModified>2026-11-23T07:15:02.123Z</LastModified>"
    "<ETag>&quot;0f&quot;</ETag><Size>12</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
REST = (
    "<Name>bucket</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter>"
    "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>"
    "<CommonPrefixes><Prefix>a+b/</Prefix></CommonPrefixes>"
)
READ = {
    "with a namespace": f"<ListBucketResult{NAMESPACE}>{REST}{ROW}</ListBucketResult>",
    "without one": f"<ListBucketResult>{REST}{ROW}{ROW}</ListBucketResult>",
    "rows before the rest": f"<ListBucketResult>{ROW}{REST}</ListBucketResult>",
    "an entity": f"<ListBucketResult>{REST}{ROW.replace('%26', '&amp;')}</ListBucketResult>",
    "an empty key": f"<ListBucketResult>{REST}{ROW.replace('a/%C3%A9%26+b.json', '')}</ListBucketResult>",
    "an empty ETag": f"<ListBucketResult>{REST}{ROW.replace('&quot;0f&quot;', '')}</ListBucketResult>",
    "no ETag": f"<ListBucketResult>{REST}{ROW.replace('<ETag>&quot;0f&quot;</ETag>', '')}</ListBucketResult>",
    "whitespace": f"<ListBucketResult>\n  {REST}\n  {ROW}\n</ListBucketResult>\n",
}
LEFT_TO_BOTOCORE = {
    "no rows": f"<ListBucketResult{NAMESPACE}>{REST}</ListBucketResult>",
    "no size": f"<ListBucketResult>{REST}{ROW}{ROW.replace('<Size>12</Size>', '')}</ListBucketResult>",
    "no key": f"<ListBucketResult>{REST}{ROW.replace('Key>', 'Name>')}</ListBucketResult>",
    "an unreadable size": f"<ListBucketResult>{REST}{ROW.replace('12', 'many')}</ListBucketResult>",
    "an unreadable time": f"<ListBucketResult>{REST}{ROW.replace('2026-', 'x')}</ListBucketResult>",
    "an error": "<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>",
    "another document": f"<ListVersionsResult>{REST}{ROW}</ListVersionsResult>",
    "a deep tree": f"<ListBucketResult>{ROW}{'<a>' * 5000}{'</a>' * 5000}</ListBucketResult>",
    "half a document": f"<ListBucketResult>{REST}{ROW}",
    "no XML": "nonsense",
    "nothing": "",
}


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Any:
        yield self._body


def _listing(session: Session, body: str) -> Any:
    """The response of a client of the session to this body, or the type of the error."""
    client = session.create_client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.meta.events.register(
        "before-send.s3", lambda **_: AWSResponse("http://s3", 200, {}, _Body(body.encode()))
    )
    try:
        response = client.list_objects_v2(Bucket="bucket")
    except Exception as error:  # noqa: BLE001 (the type is compared)
        return type(error)
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("body", (READ | LEFT_TO_BOTOCORE).values(), ids=(READ | LEFT_TO_BOTOCORE).keys())
def test_a_listing_is_parsed_as_by_botocore(body):
    found, expected = (_listing(session, body) for session in (parse_listings_quickly(Session()), Session()))
    for response in (found, expected):
        for row in response.get("Contents", []) if isinstance(response, dict) else []:
            row.pop("StorageClass", None)
    assert found == expected


@pytest.mark.parametrize("body", READ.values(), ids=READ.keys())
def test_botocore_does_not_parse_the_rows_again(body):
    response = _listing(parse_listings_quickly(Session()), body)
    assert all("StorageClass" not in row for row in response["Contents"])
    assert response["CommonPrefixes"] == [{"Prefix": "a b/"}]


def test_the_sessions_of_both_sides_parse_with_it():
    for session in (Session(), AioSession()):
        emitter = parse_listings_quickly(session).get_component("event_emitter")
        response: dict[str, Any] = {"body": READ["with a namespace"].encode()}
        parsed: dict[str, Any] = {}
        handlers = emitter._emitter._handlers.prefix_search("before-parse.s3.ListObjectsV2")
        for handler in handlers:
            if handler.__module__.startswith("sessionbucket"):
                handler(response_dict=response, customized_response_dict=parsed)
        assert [row["Size"] for row in parsed["Contents"]] == [12]
