"""Lambda functions invoked for a job: unmodified handlers run here, and end it as at AWS."""

import json
import re
import secrets
import time
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec import structs

from pipelinekit.builds.environment import account_variables
from pipelinekit.model.action import Action
from pipelinekit.model.execution import Artifact
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded, Waiting
from pipelinekit.model.settings import Function, Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.archives.archive import ArchiveError, pack, unpack
from pipelinekit.tools.aws import handler
from pipelinekit.tools.aws.handler import ACCOUNT, Handler, HandlerError
from pipelinekit.tools.aws.job_calls import JobCalls, JobFailed, JobSucceeded
from pipelinekit.tools.aws.job_objects import JobObjects
from pipelinekit.tools.aws.loopback import Loopback
from pipelinekit.tools.commands.surroundings import REGION
from pipelinekit.wire.words import one_line

OWN_KEY: Final = "AWS_ACCESS_KEY_ID"
BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")

Json = dict[str, object]


class ParametersForm:
    """Writes anything but text as JSON; what is read is text."""

    def write(self, value: object) -> str:
        """Give the JSON for a value, and text as it is."""
        return value if isinstance(value, str) else json.dumps(value)

    def read(self, text: str) -> object:
        """Give the text."""
        return text


class _Credentials(Noun):
    """The access key of one job, which opens nothing but the calls of its job."""

    key: str
    secret: str
    token: str
    until_ms: int

    @staticmethod
    def new(seconds: float) -> "_Credentials":
        return _Credentials(
            key=f"ASIA{secrets.token_hex(8).upper()}",
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(60),
            until_ms=int((time.time() + seconds) * 1000),
        )

    @property
    def variables(self) -> dict[str, str]:
        return {
            OWN_KEY: self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
        }

    @property
    def members(self) -> Json:
        return {
            "accessKeyId": self.key,
            "secretAccessKey": self.secret,
            "sessionToken": self.token,
        }


class _Site(Noun, gc=True):
    """What one job works with, however often its function is invoked."""

    job: Job
    function: Function
    handler: Handler
    credentials: _Credentials
    calls: JobCalls
    objects: Path


def invoke(job: Job, function: str) -> Outcome:
    """Invoke a function until it has ended a job, and publish what it uploaded.

    Args:
        job: The attempt of the action or the rule.
        function: The function, by which `[lambda.<function>]` is found.

    Source: codepipeline.md 11.2, 11.6.
    """
    try:
        site = _site(job, function)
        ended = _invoke_until_done(site)
    except HandlerError as error:
        return Failed(str(error), code=FailureType.CONFIGURATION_ERROR)
    if isinstance(ended, Failed):
        return ended
    refused = _publish(site)
    return Failed(refused, external_id=ended.external_id) if refused else ended


def function_obstacle(action: Action, settings: Settings) -> str | None:
    """Say why the function of an action cannot be invoked here; None when it can.

    Args:
        action: The action, or a rule in the guise of one.
        settings: Of the project's folder.
    """
    name = action.configuration.get("FunctionName", "")
    if "#{" in name:
        return None
    try:
        handler.check(_handler(name, settings))
    except HandlerError as error:
        return str(error)
    return None


# ------------------------------------------------------------------ before it


def _handler(name: str, settings: Settings) -> Handler:
    known = settings.functions.get(name)
    if known is None:
        table = name if BARE_KEY.fullmatch(name) else json.dumps(name)
        raise HandlerError(
            f"function {name!r} is to be invoked, and pipelinekit.toml does not say where its "
            f'code is; add it, such as\n\n[lambda.{table}]\nfolder = "functions/{name}"\n'
            f'handler = "app.handler"'
        )
    return Handler(
        function=name,
        folder=Path(settings.folder, known.folder).resolve(),
        name=known.handler,
        runtime=known.runtime,
        timeout_seconds=known.timeout_seconds,
        memory_mb=known.memory_mb,
        environment=account_variables(settings) | dict(known.environment),
    )


def _site(job: Job, name: str) -> _Site:
    told = _handler(name, job.settings)
    job.say(f"{told.runtime} asked; {handler.check(told)} is here")
    objects = job.folder / "objects"
    objects.mkdir()
    for artifact in job.order.inputs:
        pack(job.read(artifact.name), objects / f"in-{artifact.name}.zip")
    return _Site(
        job=job,
        function=job.settings.functions[name],
        handler=told,
        credentials=_Credentials.new(timedelta(hours=24).total_seconds()),
        calls=JobCalls(),
        objects=objects,
    )


# ------------------------------------------------------------------ while it is at work


def _invoke_until_done(site: _Site) -> Succeeded | Failed:
    order = site.job.order
    readable = {_name(each): site.objects / f"in-{each.name}.zip" for each in order.inputs}
    writable = {_name(each): site.objects / f"out-{each.name}.zip" for each in order.outputs}
    objects = JobObjects(readable, writable, site.objects)
    with Loopback(site.calls, objects, _secrets(site)) as server:
        told, number = None, 1
        while isinstance(ended := _invoke(site, server.url, number, told), Waiting):
            _report(site, ended)
            time.sleep(site.function.continue_seconds)
            told, number = ended, number + 1
    return ended


def _invoke(site: _Site, url: str, number: int, told: Waiting | None) -> Outcome:
    id_, token = str(uuid.uuid4()), told.token if told else None
    site.calls.offer(id_, _details(site, id_, token))
    invoked = handler.invoke(
        _reachable(site, url),
        _event(site, id_, token),
        site.job.folder / f"invocation-{number}",
        site.job.say,
    )
    ended = _outcome(site.calls.ended(id_))
    if ended is None:
        name = site.handler.function
        how = f"ended with {invoked.error}" if invoked.error else "returned"
        ended = Failed(
            f"function {name} {how}, and has called neither put_job_success_result nor "
            f"put_job_failure_result for job {id_}; its log tells what it printed; let the "
            f"handler make one of these calls in every case"
        )
    return _completed(ended, told) if told else ended


def _outcome(answer: JobSucceeded | JobFailed | None) -> Outcome | None:
    match answer:
        case JobSucceeded(token=None):
            return Succeeded(answer.variables, answer.summary, answer.external_id)
        case JobSucceeded(token=str() as token):
            return Waiting(
                token,
                summary=answer.summary,
                percent=answer.percent,
                external_id=answer.external_id,
            )
        case JobFailed():
            return Failed(answer.message, answer.type, external_id=answer.external_id)
        case _:
            return None


def _completed(ended: Outcome, told: Waiting) -> Outcome:
    # What a function says of its work holds until it says something else.
    if isinstance(ended, Waiting) and ended.percent is None:
        ended = structs.replace(ended, percent=told.percent)
    return structs.replace(
        ended,
        summary=ended.summary or told.summary,
        external_id=ended.external_id or told.external_id,
    )


def _report(site: _Site, told: Waiting) -> None:
    summary = one_line(told.summary)
    if summary or told.percent is not None:
        site.job.progress(told.percent or 0, summary)
    words = (told.external_id, "" if told.percent is None else f"{told.percent} %", summary)
    said = "".join(f", {word}" for word in words if word)
    site.job.say(
        f"a continuation token was given{said}; invoked again in "
        f"{site.function.continue_seconds:g} s"
    )


def _reachable(site: _Site, url: str) -> Handler:
    own = site.handler.environment
    keys = {} if OWN_KEY in own else site.credentials.variables
    services = {"AWS_ENDPOINT_URL_CODEPIPELINE": url, "AWS_ENDPOINT_URL_S3": url}
    return replace(site.handler, environment={**keys, **own, **services})


def _secrets(site: _Site) -> dict[str, str]:
    # A function that is given an account of its own signs with that account's key.
    own = site.handler.environment
    given = {own[OWN_KEY]: own.get("AWS_SECRET_ACCESS_KEY", "")} if OWN_KEY in own else {}
    return {site.credentials.key: site.credentials.secret, **given}


def _name(artifact: Artifact) -> str:
    return f"{artifact.bucket}/{artifact.object_key}"


# ------------------------------------------------------------------ what it is told


def _event(site: _Site, id_: str, token: str | None) -> Json:
    data = _data(site, token)
    until = {"expirationTime": site.credentials.until_ms}
    data["artifactCredentials"] = site.credentials.members | until
    return {"CodePipeline.job": {"id": id_, "accountId": ACCOUNT, "data": data}}


def _details(site: _Site, id_: str, token: str | None) -> Json:
    order = site.job.order
    kind = order.type
    data = _data(site, token) | {
        "actionTypeId": {
            "category": kind.category,
            "owner": kind.owner,
            "provider": kind.provider,
            "version": kind.version,
        },
        "pipelineContext": {
            "pipelineName": order.pipeline,
            "stage": {"name": order.stage},
            "action": {"name": order.action, "actionExecutionId": order.id},
            "pipelineArn": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{order.pipeline}",
            "pipelineExecutionId": order.execution,
        },
    }
    return {"id": id_, "accountId": ACCOUNT, "data": data}


def _data(site: _Site, token: str | None) -> Json:
    order = site.job.order
    data: Json = {
        "actionConfiguration": {"configuration": dict(order.configuration)},
        "inputArtifacts": [_member(each) for each in order.inputs],
        "outputArtifacts": [_member(each) for each in order.outputs],
        "artifactCredentials": site.credentials.members,
    }
    return data if token is None else data | {"continuationToken": token}


def _member(artifact: Artifact) -> Json:
    return {
        "name": artifact.name,
        "revision": artifact.revision or None,
        "location": {
            "type": "S3",
            "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.object_key},
        },
    }


# ------------------------------------------------------------------ after it


def _publish(site: _Site) -> str | None:
    for artifact in site.job.order.outputs:
        packed = site.objects / f"out-{artifact.name}.zip"
        folder = site.objects / artifact.name
        if not packed.exists():
            site.job.say(f"artifact {artifact.name} was not uploaded; who reads it will fail")
            continue
        try:
            unpack(packed, folder)
        except ArchiveError as error:
            return (
                f"the function has uploaded artifact {artifact.name}, which cannot be used: "
                f"{error}; an artifact is a zip"
            )
        site.job.write(folder, artifact.name)
    return None
