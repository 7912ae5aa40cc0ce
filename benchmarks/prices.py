"""The prices of requests on AWS.

S3 Standard, us-east-1, in dollars a request; without storage and transfer. Source: Amazon S3 pricing,
"Requests & data retrievals", https://aws.amazon.com/s3/pricing/, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

DOLLARS = {"PUT": 0.005 / 1000, "COPY": 0.005 / 1000, "POST": 0.005 / 1000, "LIST": 0.005 / 1000} | {
    "GET": 0.0004 / 1000,
    "HEAD": 0.0004 / 1000,
    "DELETE": 0.0,
}


def dollars(requests: Mapping[str, int]) -> float:
    """The cost of these requests. Deletes are free, and so are batches of them, although they are POSTs."""
    return sum(DOLLARS[kind] * count for kind, count in requests.items())
