"""Which execution is meant, where somebody names it in part or not at all."""

import click

from pipelinekit.cli.background import under_way
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.run import Run
from pipelinekit.model.errors import ActionNotFound, ExecutionNotFound
from pipelinekit.wire.words import SHORT_ID


def chosen(kit: Kit, name: str | None) -> Run:
    """Find an execution.

    Args:
        kit: Where to look.
        name: The beginning of its id, or a pipeline, of which the latest is meant; when None the
            latest that has not ended, or else the latest.

    Raises:
        ExecutionNotFound: None is so called, or several are.
    """
    if name is None:
        found = under_way(kit)
        runs = [Run(kit, row.pipeline, row.id) for row in found[:1]] or kit.runs(limit=1)
    elif any(record.name == name for record in kit.pipelines()):
        runs = kit.runs(name, limit=1)
    else:
        return _begun(kit, name)
    if not runs:
        if name is not None:
            raise ExecutionNotFound(
                f"an execution of {name} was looked for, and it has not run yet; start it with "
                f"`pipelinekit start {name}`"
            )
        raise click.UsageError("nothing has run here yet; begin with `pipelinekit run FILE`")
    return runs[0]


def _begun(kit: Kit, name: str) -> Run:
    try:
        return kit.run(name)
    except ExecutionNotFound as error:
        raise ExecutionNotFound(
            f"{error}, or a pipeline, of which the latest execution is meant"
        ) from None


def asked(kit: Kit, name: str | None, action: str | None) -> Run:
    """Find the execution whose approval is to be answered.

    Args:
        kit: Where to look.
        name: As for `chosen`; when None the only one in which an approval waits.
        action: The approval's name, where several wait.

    Raises:
        ActionNotFound: No approval waits, or several do.
    """
    if name is not None:
        return chosen(kit, name)
    runs = [Run(kit, row.pipeline, row.id) for row in under_way(kit)]
    found = [(run, row) for run in runs for row in run.waiting if action in {None, row.action}]
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise ActionNotFound(
            f"an approval{f' {action!r}' if action else ''} was to be answered, and none waits; "
            f"`pipelinekit status` shows what does"
        )
    places = "\n".join(
        f"  {run.id[:SHORT_ID]} --action {row.action}   ({run.pipeline}, stage {row.stage})"
        for run, row in found
    )
    raise ActionNotFound(
        f"an approval was to be answered, and {len(found)} wait; say which:\n{places}"
    )
