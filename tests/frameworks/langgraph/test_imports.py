"""The modules that an import of the integration loads."""

from __future__ import annotations

import pytest
from imports.test_imports import CLIENT_LIBRARIES, loaded_by

OTHERS = ("agents", "strands", "google.adk", "claude_agent_sdk", "pydantic_ai")
OURS = ("sessionbucket.models.session", "sessionbucket._codec.codec", "sessionbucket._sync.store")


@pytest.mark.parametrize(
    "program",
    [
        "import sessionbucket.integrations.langgraph",
        "from sessionbucket.integrations.langgraph import BucketSaver; BucketSaver('s3://bucket/prefix')",
        "from sessionbucket.integrations.langgraph import BucketStore; BucketStore('s3://bucket/prefix')",
    ],
)
def test_no_client_library_no_other_framework_and_no_model_is_loaded_before_the_first_request(program: str):
    assert (
        loaded_by(
            "import warnings; warnings.simplefilter('ignore'); " + program,
            of=(*CLIENT_LIBRARIES, *OTHERS, *OURS),
        )
        == set()
    )
