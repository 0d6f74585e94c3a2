"""The command `serve`: the CodePipeline API of this folder's state, and an engine at work."""

import signal
import threading
from pathlib import Path

import click

from pipelinekit.cli.surroundings import Surroundings, echo_json, log_with_times, shared
from pipelinekit.endpoint.callers import Callers, own_callers, read_callers
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.local import PORT
from pipelinekit.model.errors import ValidationError
from pipelinekit.tools.loading import keep_loaded

LOOPBACK = "127.0.0.1"


@click.command()
@shared
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="The port to listen at; 0 for a free one.",
)
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen at.")
@click.option(
    "--credentials",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Who may call: a file like ~/.aws/credentials, with a section for each caller.  "
    "[default: `credentials` in the folder of the state, made where it is missing]",
)
@click.option(
    "--no-auth", is_flag=True, help="Let every program on this machine call; at 127.0.0.1 only."
)
@click.option(
    "--public-url",
    metavar="URL",
    help="Under which others reach this server, where that differs from its address.",
)
@click.option("--no-work", is_flag=True, help="Run no engine; another process does the work.")
@click.pass_obj
def serve(place: Surroundings, /, host: str, port: int, **said: object) -> None:
    """Answer the CodePipeline API, for boto3, the AWS CLI and every other SDK.

    Requests are signed with Signature Version 4. At 127.0.0.1, a key for yourself is made once
    where no file with credentials is named, and the lines that use it are shown.
    """
    from pipelinekit.endpoint.server import Server
    from pipelinekit.operations.answer import prepare

    log_with_times()
    with place.kit(work=not said["no_work"]) as kit:
        named = said["credentials"]
        file = named if isinstance(named, Path) else kit.home.folder / "credentials"
        callers = None if said["no_auth"] else _callers(kit, file, host, given=named is not None)
        prepare()
        with Server(kit, callers, host, port) as server:
            kit.url = str(said["public_url"] or server.url).rstrip("/")
            if place.json:
                shown = None if said["no_auth"] else file
                echo_json({"url": server.url, "caller": kit.by, "credentials": shown})
            else:
                _tell(server.url, kit.by, file if callers else None)
            keep_loaded()
            _until_asked_to_leave()


def _callers(kit: Kit, file: Path, host: str, *, given: bool) -> Callers:
    from pipelinekit.endpoint.server import is_loopback

    if given or file.exists():
        return read_callers(file)
    if not is_loopback(host):
        raise ValidationError(
            f"the API was to be served at {host}, which others than this machine reach, and "
            f"there are no credentials in {file}; name a file of callers with --credentials"
        )
    return own_callers(file, kit.by)


def _tell(url: str, by: str, file: Path | None) -> None:
    if file is None:
        click.secho(
            "NOBODY IS ASKED WHO THEY ARE: every program on this machine may call.",
            fg="red",
            bold=True,
            err=True,
        )
        lines = ["AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any"]
    else:
        lines = [f"AWS_SHARED_CREDENTIALS_FILE={file}", f"AWS_PROFILE={by}"]
    click.echo(f"The CodePipeline API is at {url}. To use it elsewhere:\n")
    region = "AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1"  # some read this, some that
    for line in (*lines, region, f"AWS_ENDPOINT_URL_CODEPIPELINE={url}"):
        click.echo(f"  export {line}")
    click.echo("  aws codepipeline list-pipelines\n\nCtrl+C ends it.")


def _until_asked_to_leave() -> None:
    asked = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: asked.set())
    while not asked.wait(1.0):
        pass
