"""What requests cost on AWS.

S3 Standard, us-east-1, in dollars a request; storage and transfer are not counted. Source: Amazon S3 pricing,
"Requests & data retrievals", https://aws.amazon.com/s3/pricing/, as written down here in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

DOLLARS = {"PUT": 0.005 / 1000, "COPY": 0.005 / 1000, "POST": 0.005 / 1000, "LIST": 0.005 / 1000} | {
    "GET": 0.0004 / 1000,
    "HEAD": 0.0004 / 1000,
    "DELETE": 0.0,
}


def dollars(requests: Mapping[str, int]) -> float:
    """What these requests cost. Deletes are free, batches of them too, though they are POSTs."""
    return sum(DOLLARS[kind] * count for kind, count in requests.items())
