"""A substitute for Lambda's runtime: it imports a handler once, and invokes it with each event on stdin, one a line.

It writes one JSON object a line: the response, the number of clients that the process has made, and the milliseconds left.
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
    """A list that grows with each client of boto3 and aioboto3: both are of this class of botocore."""
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
        response = handler(json.loads(line), context)
        left = context.get_remaining_time_in_millis()
        sys.stdout.write(json.dumps({"response": response, "clients": len(made), "left": left}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
    os._exit(0)  # Lambda kills the process, too: no exit handler runs
