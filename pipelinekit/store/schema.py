"""The tables, and which columns of a row stand beside its body so that it can be found."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

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
from pipelinekit.store.database import COUNTER, MOMENT, Value
from pipelinekit.store.table import Column, Table

META = Table("meta", Column("version", "INTEGER", key=True))

JOURNAL = Table(
    "journal",
    Column("number", COUNTER, key=True),
    Column("pipeline", "VARCHAR(100)"),
    Column("body", "TEXT"),
    Column("digest", "VARCHAR(64)"),  # of the digest before and this body
    indices={
        "journal_of_pipeline": "pipeline, number",
    },
)

ANCHOR = Table(
    "journal_anchor",
    Column("number", COUNTER, key=True),
    Column("digest", "VARCHAR(64)"),
    Column("at", "FLOAT"),  # seconds since 1970, UTC
    Column("by", "VARCHAR(200)"),
)

HEADS = Table(
    "heads",
    Column("pipeline", "VARCHAR(100)", key=True),
    Column("records", "INTEGER"),  # how many the pipeline has in the journal
)

ORDERS = Table(
    "orders",
    Column("id", "VARCHAR(36)", key=True),
    Column("pipeline", "VARCHAR(100)"),
    Column("type", "VARCHAR(100)"),
    Column("halt", "BOOLEAN"),
    Column("owner", "VARCHAR(36)", null=True),  # the engine that holds it; NULL: nobody
    Column("inherited", "BOOLEAN"),  # an engine died with it
    Column("deadline", "FLOAT", null=True),  # seconds since 1970, UTC
    Column("body", "TEXT"),
    Column("fence", "INTEGER", default="1"),  # rises with each taker
    Column("place", "VARCHAR(300)", null=True),  # where the engine worked that died with it
    indices={
        "orders_of_owner": "owner",
    },
)

ENGINES = Table(
    "engines",
    Column("id", "VARCHAR(36)", key=True),
    Column("place", "VARCHAR(300)"),  # engines of one see each other's runners
    Column("until", MOMENT),  # its lease, by the store's clock
    Column("at_work", "BOOLEAN"),
)

WRITES = Table(
    "writes",
    Column("number", COUNTER),  # how often any process has written (PostgreSQL)
    Column("needs", "INTEGER", default="0"),  # the version to be known
)
"""One row, which whoever writes reads first, and holds locked (PostgreSQL)."""

PIPELINES = Table(
    "pipelines",
    Column("pipeline", "VARCHAR(100)", key=True),
    Column("body", "TEXT"),
)

DEFINITIONS = Table(
    "definitions",
    Column("pipeline", "VARCHAR(100)", key=True),
    Column("version", "INTEGER", key=True),
    Column("body", "TEXT"),
)

STAGE_STATES = Table(
    "stage_states",
    Column("pipeline", "VARCHAR(100)", key=True),
    Column("stage", "VARCHAR(100)", key=True),
    Column("body", "TEXT"),
)

EXECUTIONS = Table(
    "pipeline_executions",
    Column("id", "VARCHAR(36)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("number", "INTEGER", fixed=True),
    Column("ended", "BOOLEAN"),
    Column("started", "FLOAT", fixed=True),  # seconds since 1970, UTC
    Column("body", "TEXT"),
    indices={
        "executions_of_pipeline": "pipeline, number",
        "executions_by_time": "started, id",
        "executions_of_pipeline_by_time": "pipeline, started",
        "executions_by_end": "ended, pipeline, number",
    },
)

STAGES = Table(
    "stage_executions",
    Column("execution", "VARCHAR(36)", key=True),
    Column("stage", "VARCHAR(100)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("started", "FLOAT", fixed=True),
    Column("body", "TEXT"),
    indices={
        "stages_of_pipeline": "pipeline, started",
        "stages_by_name": "pipeline, stage, started",
    },
)

ACTIONS = Table(
    "action_executions",
    Column("id", "VARCHAR(36)", key=True),
    Column("execution", "VARCHAR(36)", fixed=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("attempt", "INTEGER", fixed=True),
    Column("started", "FLOAT", fixed=True),
    Column("body", "TEXT"),
    indices={
        "actions_of_execution": "execution, attempt",
        "actions_of_pipeline": "pipeline, started",
    },
)

ARTIFACTS = Table(
    "artifacts",
    Column("execution", "VARCHAR(36)", key=True),
    Column("name", "VARCHAR(100)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("body", "TEXT"),
)

VARIABLES = Table(
    "output_variables",
    Column("execution", "VARCHAR(36)", key=True),
    Column("namespace", "VARCHAR(100)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("body", "TEXT"),
)

TOKENS = Table(
    "start_tokens",
    Column("pipeline", "VARCHAR(100)", key=True),
    Column("token", "VARCHAR(128)", key=True),
    Column("at", "FLOAT"),
    Column("body", "TEXT"),
)

CONDITIONS = Table(
    "condition_executions",
    Column("execution", "VARCHAR(36)", key=True),
    Column("stage", "VARCHAR(100)", key=True),
    Column("condition", "VARCHAR(20)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("started", "FLOAT"),
    Column("body", "TEXT"),
    indices={
        "conditions_of_pipeline": "pipeline, started",
    },
)

RULES = Table(
    "rule_executions",
    Column("id", "VARCHAR(36)", key=True),
    Column("execution", "VARCHAR(36)", fixed=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("attempt", "INTEGER", fixed=True),
    Column("started", "FLOAT", fixed=True),
    Column("body", "TEXT"),
    indices={
        "rules_of_execution": "execution, attempt",
        "rules_of_pipeline": "pipeline, started",
    },
)

JOBS = Table(
    "worker_jobs",
    Column("id", "VARCHAR(36)", key=True),
    Column("execution", "VARCHAR(36)", fixed=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("at", "FLOAT"),
    Column("body", "TEXT"),
    indices={
        "jobs_of_execution": "execution",
    },
)

TYPES = Table(
    "custom_types",
    Column("id", "VARCHAR(100)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("body", "TEXT"),
    indices={
        "types_of_account": "pipeline, id",
    },
)

WEBHOOKS = Table(
    "webhooks",
    Column("id", "VARCHAR(100)", key=True),
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("body", "TEXT"),
    indices={
        "webhooks_of_account": "pipeline, id",
    },
)

TAGS = Table(
    "tags",
    Column("id", "VARCHAR(200)", key=True),  # what the ARN of the resource ends in
    Column("pipeline", "VARCHAR(100)", fixed=True),
    Column("body", "TEXT"),
    indices={
        "tags_of_pipeline": "pipeline, id",
    },
)

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
    return dict(zip(kept.table.names, kept.columns(row), strict=False))


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

KINDS: Final = tuple(kept.table for kept in TABLES.values())
"""The tables of rows."""

EVERY: Final = (META, JOURNAL, ANCHOR, HEADS, ORDERS, ENGINES, WRITES, *KINDS)
"""All tables."""

PARTS: Final = tuple(table for table in KINDS if "execution" in table.names)
"""The tables of what an execution consists of."""
