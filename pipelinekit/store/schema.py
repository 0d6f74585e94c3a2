"""The tables, and which columns of a row stand beside its body so that it can be found."""

from collections.abc import Mapping
from datetime import datetime

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
from pipelinekit.model.row import Row

METADATA = MetaData()

COUNTER = BigInteger().with_variant(Integer(), "sqlite")
"""Of more than four thousand million things; SQLite's integers are that great anyway."""

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
    Column("pipeline", String(100), nullable=False),
    Column("number", Integer, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("started", Float, nullable=False),  # seconds since 1970, UTC
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
    Column("pipeline", String(100), nullable=False),
    Column("started", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("stages_of_pipeline", "pipeline", "started"),
    Index("stages_by_name", "pipeline", "stage", "started"),
)

ACTIONS = Table(
    "action_executions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False),
    Column("pipeline", String(100), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("actions_of_execution", "execution", "attempt"),
    Index("actions_of_pipeline", "pipeline", "started"),
)

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False),
    Column("body", Text, nullable=False),
)

VARIABLES = Table(
    "output_variables",
    METADATA,
    Column("execution", String(36), primary_key=True),
    Column("namespace", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False),
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
    Column("pipeline", String(100), nullable=False),
    Column("started", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("conditions_of_pipeline", "pipeline", "started"),
)

RULES = Table(
    "rule_executions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False),
    Column("pipeline", String(100), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("rules_of_execution", "execution", "attempt"),
    Index("rules_of_pipeline", "pipeline", "started"),
)

JOBS = Table(
    "worker_jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("execution", String(36), nullable=False),
    Column("pipeline", String(100), nullable=False),
    Column("at", Float, nullable=False),
    Column("body", Text, nullable=False),
    Index("jobs_of_execution", "execution"),
)

TYPES = Table(
    "custom_types",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Index("types_of_account", "pipeline", "id"),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("pipeline", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Index("webhooks_of_account", "pipeline", "id"),
)

TAGS = Table(
    "tags",
    METADATA,
    Column("id", String(200), primary_key=True),  # what the ARN of the resource ends in
    Column("pipeline", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Index("tags_of_pipeline", "pipeline", "id"),
)

Columns = Mapping[str, str | int | float | bool]


def columns(row: Row) -> Columns:
    """Give the columns that stand beside a row's body."""
    match row:
        case PipelineRecord():
            return {"pipeline": row.name}
        case Definition():
            return {"pipeline": row.pipeline, "version": row.version}
        case StageState():
            return {"pipeline": row.pipeline, "stage": row.stage}
        case PipelineExecution():
            return {
                "id": row.id,
                "pipeline": row.pipeline,
                "number": row.number,
                "ended": row.ended,
                "started": _seconds(row.started),
            }
        case ActionExecution() | RuleExecution():
            return {
                "id": row.id,
                "execution": row.execution,
                "pipeline": row.pipeline,
                "attempt": row.attempt,
                "started": _seconds(row.started),
            }
        case _:
            return _more_columns(row)


def _more_columns(
    row: StageExecution
    | Produced
    | OutputVariables
    | ConditionExecution
    | StartToken
    | WorkerJob
    | CustomType
    | Webhook
    | Tags,
) -> Columns:
    match row:
        case StageExecution():
            return {
                "execution": row.execution,
                "stage": row.stage,
                "pipeline": row.pipeline,
                "started": _seconds(row.started),
            }
        case ConditionExecution():
            return {
                "execution": row.execution,
                "stage": row.stage,
                "condition": row.condition,
                "pipeline": row.pipeline,
                "started": _seconds(row.started),
            }
        case Produced():
            return {
                "execution": row.execution,
                "name": row.artifact.name,
                "pipeline": row.pipeline,
            }
        case OutputVariables():
            return {
                "execution": row.execution,
                "namespace": row.namespace,
                "pipeline": row.pipeline,
            }
        case StartToken():
            return {"pipeline": row.pipeline, "token": row.token, "at": _seconds(row.at)}
        case _:
            return _account_columns(row)


def _account_columns(row: WorkerJob | CustomType | Webhook | Tags) -> Columns:
    if isinstance(row, WorkerJob):
        return {
            "id": row.id,
            "execution": row.execution,
            "pipeline": row.pipeline,
            "at": _seconds(row.offered),
        }
    return {"id": row.key[0], "pipeline": row.pipeline}


def _seconds(at: datetime) -> float:
    return at.timestamp()


TABLES: Mapping[type[object], tuple[Table, str]] = {
    PipelineRecord: (PIPELINES, "pipeline"),
    Definition: (DEFINITIONS, "version"),
    StageState: (STAGE_STATES, "stage"),
    PipelineExecution: (EXECUTIONS, "number"),
    StageExecution: (STAGES, "started"),
    ActionExecution: (ACTIONS, "started"),
    Produced: (ARTIFACTS, "name"),
    OutputVariables: (VARIABLES, "namespace"),
    ConditionExecution: (CONDITIONS, "started"),
    RuleExecution: (RULES, "started"),
    StartToken: (TOKENS, "at"),
    WorkerJob: (JOBS, "at"),
    CustomType: (TYPES, "id"),
    Webhook: (WEBHOOKS, "id"),
    Tags: (TAGS, "id"),
}
"""For each kind of row its table, and the column by which the newest is found."""

PARTS = tuple(table for table, _ in TABLES.values() if "execution" in table.c)
"""The tables of what an execution consists of."""
