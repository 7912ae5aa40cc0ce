"""A cold start up to the first item of a session of the OpenAI Agents SDK, with `BucketSession`. Argument: the URL of the store."""

import asyncio
import sys

from sessionbucket.integrations.openai_agents import BucketSession

items = asyncio.run(BucketSession("cold", sys.argv[1]).get_items())
assert items
