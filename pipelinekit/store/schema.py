"""The tables, and which columns of a row stand beside its body so that it can be found."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from pipelinekit.model.account import CustomType, Tags, Webhook
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    OutputVariables,
    PipelineExecution,
    PipelineRecord,
    Produced,
    StageExecution,
    StageState,
    StartToken,
)
from pipelinekit.model.job import WorkerJob
from pipelinekit.model.noun import Noun
from pipelinekit.model.row import Row

METADATA = MetaData()

COUNTER = BigInteger().with_variant(Integer(), "sqlite")
"""Of more than four thousand million things; SQLite's integers are that great anyway."""

FIXED = {"fixed": True}
"""Said of a column that is never another for the same key; no index of it has to be changed."""

META = Table("meta", METADATA, Column("version", Integer, primary_key=True))

JOURNAL = Table(
    "journal",
    METADATA,
    Column("number", COUNTER, primary_key=True, autoincrement=False),
    Column("pipeline", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False),  # of the digest before and this body
    Index("journal_of_pipeline", "pipeline", "number"),
)

ANCHOR = Table(
    "journal_anchor",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("at", Float, nullable=False),  # seconds since 1970, UTC
    Column("by", String(200), nullable=False),
)

HEADS = Table(
    "heads",
    METADATA,
    Column("pipeline", String(100), primary_key=True),
    Column("records", Integer, nullable=False),  # how many the pipeline has in the journal
)

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("pipeline", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("halt", Boolean, nullable=False, default=False),
    Column("owner", String(36)),  # the engine that holds it; NULL: nobody
    Column("inherited", Boolean, nullable=False, default=False),  # an engine died with it
    Column("deadline", Float),  # seconds since 1970, UTC
    Column("body", Text, nullable=False),
    Column("fence", Integer, nullable=False, server_default="1"),  # rises with each taker
    Column("place", String(300)),  # where the engine worked that died with it, if that is known
    Index("orders_of_owner", "owner"),
)

ENGINES = Table(
    "engines",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("place", String(300), nullable=False),  # engines of one see each other's runners
    Column("until", DateTime(timezone=True), nullable=False),  # its lease, by the store's clock
    Column("at_work", Boolean, nullable=False),
)

WRITES = Table(
    "writes",
    METADATA,
    Column("number", COUNTER, nullable=False),  # how often any process has written (PostgreSQL)
    Column("needs", Integer, nullable=False, server_default="0"),  # the version to be known
)
"""One row, which whoever writes reads first, and holds locked (PostgreSQL)."""

PIPELINES = Table(
    "pipelines",
    METADATA,
    Column("pipeline", String(100), primary_key=True),
    Column("body", Text, nullable=False),
)

DEFINITIONS = Table(
    "definitions",
    METADATA,
    Column("pipeline", String(100), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

STAGE_STATES = Table(
    "stage_states",
    METADATA,
    Column("pipeline", String(100), primary_key=True),
    Column("stage", String(100), primary_key=True),
    Column("body", Text, nullable=False),
)

EXECUTIONS = Table(
    "pipeline_executions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("number", Integer, nullable=False, info=FIXED),
    Column("ended", Boolean, nullable=False),
    Column("started", Float, nullable=False, info=FIXED),  # seconds since 1970, UTC
    Column("body", Text, nullable=False),
    Index("executions_of_pipeline", "pipeline", "number"),
    Index("executions_by_time", "started", "id"),
    Index("executions_of_pipeline_by_time", "pipeline", "started"),
    Index("executions_by_end", "ended", "pipeline", "number"),
)

STAGES = Table(
    "stage_executions",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("stage", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("started", Float, nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("stages_of_pipeline", "pipeline", "started"),
    Index("stages_by_name", "pipeline", "stage", "started"),
)

ACTIONS = Table(
    "action_executions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False, info=FIXED),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("attempt", Integer, nullable=False, info=FIXED),
    Column("started", Float, nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("actions_of_execution", "execution", "attempt"),
    Index("actions_of_pipeline", "pipeline", "started"),
)

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
)

VARIABLES = Table(
    "output_variables",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("namespace", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
)

TOKENS = Table(
    "start_tokens",
    METADATA,
    Column("pipeline", String(100), primary_key=True),
    Column("token", String(128), primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
)

CONDITIONS = Table(
    "condition_executions",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("stage", String(100), primary_key=True),
    Column("condition", String(20), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("started", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("conditions_of_pipeline", "pipeline", "started"),
)

RULES = Table(
    "rule_executions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False, info=FIXED),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("attempt", Integer, nullable=False, info=FIXED),
    Column("started", Float, nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("rules_of_execution", "execution", "attempt"),
    Index("rules_of_pipeline", "pipeline", "started"),
)

JOBS = Table(
    "worker_jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False, info=FIXED),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("jobs_of_execution", "execution"),
)

TYPES = Table(
    "custom_types",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("types_of_account", "pipeline", "id"),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("webhooks_of_account", "pipeline", "id"),
)

TAGS = Table(
    "tags",
    METADATA,
    Column("id", String(200), primary_key=True),  # what the ARN of the resource ends in
    Column("pipeline", String(100), nullable=False, info=FIXED),
    Column("body", Text, nullable=False),
    Index("tags_of_pipeline", "pipeline", "id"),
)

Value = str | int | float | bool | None
R = TypeVar("R", bound=Row)


class Kept(Noun, gc=True):
    """How the rows of a kind are kept.

    Attributes:
        table: Where.
        newest: The column by which the newest is found.
        columns: Gives what stands in the table's columns before the body, in their order.
    """

    table: Table
    newest: str
    columns: Callable[[Any], tuple[Value, ...]]


def columns(row: Row) -> Mapping[str, Value]:
    """Give the columns that stand beside a row's body, by name."""
    kept = TABLES[type(row)]
    return dict(zip(kept.table.c.keys(), kept.columns(row), strict=False))


def _kept(
    kind: type[R], table: Table, newest: str, columns: Callable[[R], tuple[Value, ...]]
) -> tuple[type[object], Kept]:
    return kind, Kept(table, newest, columns)


def _attempt(row: ActionExecution | RuleExecution) -> tuple[Value, ...]:
    return row.id, row.execution, row.pipeline, row.attempt, row.started.timestamp()


TABLES: Final[Mapping[type[object], Kept]] = dict(
    (
        _kept(PipelineRecord, PIPELINES, "pipeline", lambda row: (row.name,)),
        _kept(Definition, DEFINITIONS, "version", lambda row: (row.pipeline, row.version)),
        _kept(StageState, STAGE_STATES, "stage", lambda row: (row.pipeline, row.stage)),
        _kept(
            PipelineExecution,
            EXECUTIONS,
            "number",
            lambda row: (row.id, row.pipeline, row.number, row.ended, row.started.timestamp()),
        ),
        _kept(
            StageExecution,
            STAGES,
            "started",
            lambda row: (row.execution, row.stage, row.pipeline, row.started.timestamp()),
        ),
        _kept(ActionExecution, ACTIONS, "started", _attempt),
        _kept(
            Produced,
            ARTIFACTS,
            "name",
            lambda row: (row.execution, row.artifact.name, row.pipeline),
        ),
        _kept(
            OutputVariables,
            VARIABLES,
            "namespace",
            lambda row: (row.execution, row.namespace, row.pipeline),
        ),
        _kept(
            ConditionExecution,
            CONDITIONS,
            "started",
            lambda row: (*row.key, row.pipeline, row.started.timestamp()),
        ),
        _kept(RuleExecution, RULES, "started", _attempt),
        _kept(StartToken, TOKENS, "at", lambda row: (row.pipeline, row.token, row.at.timestamp())),
        _kept(
            WorkerJob,
            JOBS,
            "at",
            lambda row: (row.id, row.execution, row.pipeline, row.offered.timestamp()),
        ),
        _kept(CustomType, TYPES, "id", lambda row: (row.key[0], row.pipeline)),
        _kept(Webhook, WEBHOOKS, "id", lambda row: (row.key[0], row.pipeline)),
        _kept(Tags, TAGS, "id", lambda row: (row.key[0], row.pipeline)),
    )
)
"""How each kind of row is kept."""

PARTS = tuple(kept.table for kept in TABLES.values() if "execution" in kept.table.c)
"""The tables of what an execution consists of."""
