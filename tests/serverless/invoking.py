"""A stand-in for Lambda's runtime: imports a handler once, and invokes it with each event that comes on stdin, one a line.

It writes one JSON object a line: the answer, how many clients the process has made so far, and the milliseconds left.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass

from botocore.client import BaseClient


@dataclass
class Context:
    aws_request_id: str
    ends: float

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends - time.monotonic()) * 1000))


def count_clients() -> list[object]:
    """The clients that are made, whether by boto3 or aioboto3: both are of this class of botocore's."""
    made: list[object] = []
    initialise = BaseClient.__init__

    def counted(client: BaseClient, *arguments: object, **keywords: object) -> None:
        initialise(client, *arguments, **keywords)
        made.append(client)

    BaseClient.__init__ = counted
    return made


def main(module: str, seconds: float) -> None:
    made = count_clients()
    handler = importlib.import_module(module).handler
    for number, line in enumerate(sys.stdin):
        context = Context(f"lambda-{number}", time.monotonic() + seconds)
        answer = handler(json.loads(line), context)
        left = context.get_remaining_time_in_millis()
        sys.stdout.write(json.dumps({"answer": answer, "clients": len(made), "left": left}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
    os._exit(0)  # Lambda ends a container without letting Python finish
