"""The command `demo`: the example shop goes from a commit to two running environments."""

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import click

from pipelinekit.cli.history import Asked, rows_of, show_table
from pipelinekit.cli.session import follow, manner
from pipelinekit.cli.surroundings import Exit, Surroundings
from pipelinekit.kit.example import close_example, example
from pipelinekit.kit.files import read_definition
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.wire.words import SHORT_ID

GROUPS = ("staging", "production")


@click.command()
@click.option("--yes", is_flag=True, help="Approve the release to production.")
@click.option("--keep", is_flag=True, help="Keep the folder and leave the shops open.")
@click.pass_context
def demo(context: click.Context, /, *, yes: bool, keep: bool) -> None:
    """Release a small web application: commit, build, tests, staging, approval, production.

    It is made in a folder of its own, really runs, and leaves nothing behind.
    """
    _clean_up_on(signal.SIGTERM, signal.SIGHUP)
    with _shop(keep=keep) as folder, _kit(folder) as kit:
        pipeline = read_definition(folder / "pipeline.py").checked()
        click.echo(f"A git repository of the shop is in {folder}; its pipeline runs here.\n")
        place = Surroundings(home=str(kit.home.folder))
        run = kit.start(pipeline)
        try:
            how = manner(place, pipeline, (), yes=yes, wait=False, timeout=None, stays=False)
            code = follow(place, kit, run, how)
            if code is Exit.SUCCEEDED:
                _show_environments(kit)
            if code is Exit.WAITING:
                click.echo("\nNobody has approved; on a terminal you are asked, --yes approves.")
            _show_history(kit)
        finally:
            if not run.execution.ended:
                run.stop("the demo is over", abandon=True)
    context.exit(Exit.FAILED if code is None else code)


def _clean_up_on(*signals: signal.Signals) -> None:
    """Take signals for a Ctrl-C; the next one of them shall not disturb what that begins."""

    def leave(_number: int, _frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in signals:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as under nohup
            signal.signal(each, leave)


@contextmanager
def _shop(*, keep: bool) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="pipelinekit-demo-"))
    folder = example(root / "shop")
    try:
        yield folder
    finally:
        if keep:
            click.echo(f"\nThe shops are open, and everything is kept in {folder}")
        else:
            close_example(folder)
            shutil.rmtree(root, ignore_errors=True)
            click.echo("\nThe shops are closed and the folder is gone.", err=True)


def _kit(folder: Path) -> Kit:
    return Kit(folder / ".pipelinekit", settings=load_settings(folder))


def _show_environments(kit: Kit) -> None:
    click.echo("\nBoth environments answer:")
    for group in GROUPS:
        port = kit.settings.groups[f"shop/{group}"].environment["PORT"]
        url = f"http://127.0.0.1:{port}/health"
        with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
            health = json.load(answer)
        click.echo(f"  {url}  version {health['version']}, commit {health['commit'][:SHORT_ID]}")


def _show_history(kit: Kit) -> None:
    rows = rows_of(kit, Asked("shop", 1, None), "actions")[::-1]
    click.echo("\nWhat happened, from the history:")
    show_table(["stage", "action", "attempt", "status", "started", "seconds", "summary"], rows)
