"""Every valid value can be stored: encode, decode and encode again return the same bytes and the same value."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionbucket import models
from sessionbucket._codec import codec_of

TEXT = st.text(max_size=12)
MAYBE_TEXT = st.none() | TEXT
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
FLOAT_32 = st.floats(allow_nan=False, allow_infinity=False, width=32)
U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
MAYBE_U64 = st.none() | U64
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LATER = st.dictionaries(st.text(string.ascii_lowercase, min_size=1).map("later_{}".format), JSON, max_size=1)


def texts(most: int = 3):
    return st.lists(TEXT, max_size=most)


@st.composite
def made(draw, model, /, **fields):
    values = {name: draw(strategy) for name, strategy in fields.items()}
    return model(**values, **draw(LATER))


TEXT_BLOCK = made(models.TextBlock, text=TEXT)
IMAGE_BLOCK = made(models.ImageBlock, source=made(models.ImageSource, type=TEXT, media_type=TEXT, data=TEXT))
TOOL_USE = made(models.ToolUseBlock, id=TEXT, name=TEXT, input=JSON)
TOOL_RESULT = made(
    models.ToolResultBlock,
    tool_use_id=TEXT,
    content=TEXT | st.lists(TEXT_BLOCK | IMAGE_BLOCK, max_size=2),
    is_error=st.none() | st.booleans(),
)
MESSAGE = made(
    models.Message,
    role=TEXT,
    content=st.lists(TEXT_BLOCK | IMAGE_BLOCK | TOOL_USE | TOOL_RESULT, max_size=3),
    reasoning_content=MAYBE_TEXT,
)
LANE = st.sampled_from(models.Lane)
QUEUE = made(
    models.SessionQueueConfig,
    control_max_concurrency=U64,
    query_max_concurrency=U64,
    lane_handlers=st.dictionaries(
        LANE,
        made(models.LaneHandlerConfig, mode=st.sampled_from(models.LaneHandlerMode), timeout_ms=U64),
        max_size=2,
    ),
    enable_dlq=st.booleans(),
    dlq_max_size=MAYBE_U64,
    storage_path=MAYBE_TEXT,
    retry_policy=st.none()
    | made(
        models.RetryPolicy, strategy=TEXT, max_retries=U32, initial_delay_ms=U64, fixed_delay_ms=MAYBE_U64
    ),
    rate_limit=st.none() | made(models.RateLimit, limit_type=TEXT, max_operations=MAYBE_U64),
    priority_boost=st.none() | made(models.PriorityBoost, strategy=TEXT, deadline_ms=MAYBE_U64),
    lane_timeouts=st.dictionaries(LANE, U64, max_size=2),
)
CONFIRMATION = made(
    models.ConfirmationPolicy,
    enabled=st.booleans(),
    default_timeout_ms=U64,
    timeout_action=st.sampled_from(models.TimeoutAction),
    yolo_lanes=st.lists(LANE, max_size=3),
)
RULES = st.lists(made(models.PermissionRule, rule=TEXT), max_size=2)
PERMISSION = made(
    models.PermissionPolicy,
    deny=RULES,
    allow=RULES,
    ask=RULES,
    default_decision=st.sampled_from(models.PermissionDecision),
    enabled=st.booleans(),
)
SECURITY = made(
    models.SecurityConfig,
    enabled=st.booleans(),
    classification_rules=st.lists(
        made(
            models.ClassificationRule,
            name=TEXT,
            pattern=TEXT,
            level=st.sampled_from(models.SensitivityLevel),
            description=TEXT,
        ),
        max_size=2,
    ),
    redaction_strategy=st.sampled_from(models.RedactionStrategy),
    network_whitelist=texts(),
    features=made(models.SecurityFeatures, taint_tracking=st.booleans()),
)
CONFIG = made(
    models.SessionConfig,
    name=TEXT,
    workspace=TEXT,
    system_prompt=MAYBE_TEXT,
    max_context_length=U32,
    auto_compact=st.booleans(),
    auto_compact_threshold=FLOAT_32,
    storage_type=st.sampled_from(models.StorageBackend),
    queue_config=st.none() | QUEUE,
    confirmation_policy=st.none() | CONFIRMATION,
    permission_policy=st.none() | PERMISSION,
    parent_id=MAYBE_TEXT,
    security_config=st.none() | SECURITY,
    planning_mode=st.sampled_from(models.PlanningMode),
    goal_tracking=st.booleans(),
)
COST_RECORD = made(
    models.LlmCostRecord,
    model=TEXT,
    provider=TEXT,
    prompt_tokens=U64,
    completion_tokens=U64,
    total_tokens=U64,
    cost_usd=st.none() | FLOAT,
    timestamp=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    session_id=MAYBE_TEXT,
)
TASK = made(
    models.Task,
    id=TEXT,
    content=TEXT,
    status=st.sampled_from(models.TaskStatus),
    priority=st.sampled_from(models.TaskPriority),
    tool=MAYBE_TEXT,
    dependencies=texts(),
    success_criteria=MAYBE_TEXT,
)
SESSION = made(
    models.SessionData,
    id=TEXT,
    config=CONFIG,
    state=st.sampled_from(models.SessionState),
    messages=st.lists(MESSAGE, max_size=3),
    context_usage=made(models.ContextUsage, used_tokens=U64, max_tokens=U64, percent=FLOAT_32, turns=U64),
    total_usage=made(models.TokenUsage, prompt_tokens=U64, cache_read_tokens=MAYBE_U64),
    total_cost=FLOAT,
    model_name=MAYBE_TEXT,
    cost_records=st.lists(COST_RECORD, max_size=2),
    tool_names=texts(),
    thinking_enabled=st.booleans(),
    thinking_budget=MAYBE_U64,
    created_at=I64,
    updated_at=I64,
    llm_config=st.none() | made(models.LlmConfigData, provider=TEXT, model=TEXT, base_url=MAYBE_TEXT),
    tasks=st.lists(TASK, max_size=2),
    parent_id=MAYBE_TEXT,
)
ARTIFACTS = made(
    models.ArtifactStore,
    artifacts=st.lists(
        made(
            models.ToolArtifact,
            artifact_id=TEXT,
            artifact_uri=TEXT,
            tool_name=TEXT,
            content=TEXT,
            original_bytes=U64,
            shown_bytes=U64,
        ),
        max_size=3,
    ),
)
TRACES = st.lists(
    made(
        models.TraceEvent,
        kind=st.sampled_from(models.TraceKind),
        name=TEXT,
        success=st.booleans(),
        exit_code=st.integers(-(2**31), 2**31 - 1),
        duration_ms=U64,
        output_bytes=U64,
        metadata_keys=texts(),
        artifact_uris=texts(),
        details=JSON,
    ),
    max_size=3,
)
STATUS = st.sampled_from(models.VerificationStatus)
REPORTS = st.lists(
    made(
        models.VerificationReport,
        subject=TEXT,
        status=STATUS,
        checks=st.lists(
            made(
                models.VerificationCheck,
                id=TEXT,
                kind=TEXT,
                description=TEXT,
                status=STATUS,
                required=st.booleans(),
                suggested_tools=texts(),
                evidence_uris=texts(),
                residual_risk=MAYBE_TEXT,
            ),
            max_size=2,
        ),
        residual_risks=texts(),
    ),
    max_size=2,
)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        (models.SessionData, SESSION),
        (models.ArtifactStore, ARTIFACTS),
        (list[models.TraceEvent], TRACES),
        (list[models.VerificationReport], REPORTS),
    ],
    ids=["session", "artifacts", "traces", "reports"],
)
def test_a_value_comes_back_and_has_the_same_text_again(type_, values):
    codec = codec_of(type_)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values)
    def check(value):
        body = codec.encode(value, key="k")
        assert not body.endswith(b"\n")
        loaded = codec.decode(body, key="k")
        assert loaded == value
        assert codec.encode(loaded, key="k") == body

    check()
