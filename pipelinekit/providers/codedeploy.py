"""Deploys a revision to folders and to hosts over SSH as CodeDeploy does, by its AppSpec."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.deploytarget import DeployTarget, TargetEvent
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup, Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.archives.archive import ArchiveError, pack
from pipelinekit.tools.deployments.bluegreen import BLUE, GREEN, BlueGreen
from pipelinekit.tools.deployments.fleet import Result, in_turn
from pipelinekit.tools.deployments.health import Health
from pipelinekit.tools.deployments.installation import check_links
from pipelinekit.tools.deployments.revision import (
    CONFIGURATION_ERROR,
    LOAD_BALANCED,
    AppSpec,
    DeploymentError,
    as_json,
)
from pipelinekit.tools.deployments.rollout import Rollout
from pipelinekit.tools.deployments.ssh_address import SCHEME, Address
from pipelinekit.tools.deployments.traffic import Traffic
from pipelinekit.tools.deployments.visit import Deployment, FolderHost, Host, Visit
from pipelinekit.tools.documents import document
from pipelinekit.wire import appspec

APPSPECS: Final = ("appspec.yml", "appspec.yaml")
SHOWN_ENTRIES: Final = 20
MOST_TOLD: Final = 1_000
"""Characters of why an event failed that are kept for each target."""


def deployment_id(order: str) -> str:
    """Give the id of the deployment that an attempt of an action makes: `d-` and 9 characters.

    Args:
        order: The id of the attempt.
    """
    number = int.from_bytes(hashlib.sha256(order.encode()).digest())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "d-" + "".join(alphabet[number // 36**place % 36] for place in range(9))


# ------------------------------------------------------------------ what the settings say


def _unable(action: Action, settings: Settings) -> str | None:
    application = action.configuration.get("ApplicationName", "")
    group = action.configuration.get("DeploymentGroupName", "")
    if "#{" in application + group:
        return None
    return _not_configured(application, group, settings)


def _not_configured(application: str, group: str, settings: Settings) -> str | None:
    name = f"{application}/{group}"
    found = settings.groups.get(name)
    if found is None or not _texts(found):
        table = ".".join(_toml_key(key) for key in ("codedeploy", application, group))
        return (
            f"The deployment group {name} has no targets here; add to pipelinekit.toml:\n"
            f"[{table}]\ntargets = [{json.dumps(f'deploy/{group}')}]"
        )
    try:
        return _contradiction(name, found) or _shared(name, found, settings)
    except DeploymentError as error:
        return f"The deployment group {name} cannot be used: {error}"


def _contradiction(name: str, group: DeploymentGroup) -> str | None:
    if group.targets and (group.blue or group.green):
        return f"The deployment group {name} has targets and blue or green; leave one of them out"
    for targets in (group.targets, group.blue, group.green):
        if targets:
            Health.configured(group.config, group.minimum_healthy, len(targets))
    if group.targets or (group.blue and group.green and group.traffic):
        return None
    return (
        f"The deployment group {name} needs blue, green and traffic, the command that moves the "
        'traffic from one to the other; add the missing one, such as traffic = "ops/switch.sh"'
    )


def _shared(name: str, group: DeploymentGroup, settings: Settings) -> str | None:
    places = set(_places(group, settings))
    if len(places) < len(_texts(group)):
        return f"The deployment group {name} names a target twice; remove one of the two"
    for other, another in settings.groups.items():
        shared = places.intersection(_places(another, settings))
        if shared and other != name:
            return (
                f"The deployment groups {name} and {other} share the target {shared.pop()}; "
                "give each group targets of its own in pipelinekit.toml"
            )
    return None


def _texts(group: DeploymentGroup) -> tuple[str, ...]:
    return (*group.targets, *group.blue, *group.green)


def _places(group: DeploymentGroup, settings: Settings) -> list[str]:
    return [
        str(Address.read(text)) if text.startswith(SCHEME) else str(_folder(text, settings))
        for text in _texts(group)
    ]


def _folder(text: str, settings: Settings) -> Path:
    return Path(settings.folder, text).resolve()


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


# ------------------------------------------------------------------ the action


@provider(
    Traits(
        category=Category.DEPLOY,
        provider="CodeDeploy",
        owner=Owner.AWS,
        inputs=(1, 1),
        outputs=(0, 0),
        variables=frozenset(),
        detached=True,
        timeout=timedelta(days=5),
        check=_unable,
    )
)
def codedeploy(
    job: Job,
    application: Annotated[str, Key("ApplicationName")],
    group: Annotated[str, Key("DeploymentGroupName")],
) -> Outcome:
    """Deploy the input artifact to the targets of a deployment group.

    The targets are folders or hosts over SSH (`ssh://user@host:port/folder`), named in
    `pipelinekit.toml` under `[codedeploy.application.group]`; each stands for the root of a host,
    so that the destination `/srv/shop` of the AppSpec is `srv/shop` beneath it. The root of the
    artifact must hold `appspec.yml` for the Server platform.

    How many targets are deployed to at once, and how many may fail, say `config`
    (`CodeDeployDefault.OneAtATime`, `.HalfAtATime` or `.AllAtOnce`) or `minimum_healthy` (`3` or
    `75%`). A target goes through ApplicationStop (the scripts of the revision that runs there),
    DownloadBundle, BeforeInstall, Install, AfterInstall, ApplicationStart and ValidateService.
    With a `traffic` command it goes through BeforeBlockTraffic, BlockTraffic and
    AfterBlockTraffic before them, and through the three for AllowTraffic after them; the command
    finds LIFECYCLE_EVENT, TRAFFIC_TARGET and DEPLOYMENT_ID in its environment.

    With `blue` and `green` in place of `targets`, the set without traffic is deployed to; then the
    command is called once, with TRAFFIC_TO, TRAFFIC_FROM, TRAFFIC_TO_TARGETS and
    TRAFFIC_FROM_TARGETS. Where the traffic is, is noted on the targets; before the first switch
    it is with blue.

    If the group says `rollback = true`, which is the default, a deployment that fails puts the
    last good revision back on each target that was touched, or the traffic back to its set.

    Source: codepipeline.md, section 7.14.

    Args:
        job: The attempt; its input is the revision.
        application: The CodeDeploy application.
        group: Its deployment group.
    """
    trouble = _not_configured(application, group, job.settings)
    if trouble is not None:
        return Failed(trouble, FailureType.CONFIGURATION_ERROR)
    return _outcome(job, application, group)


def _outcome(job: Job, application: str, group: str) -> Outcome:
    deployment = deployment_id(job.order.id)
    try:
        result = _deploy(job, application, group, deployment)
    except DeploymentError as error:
        return Failed(str(error), error.code, external_id=deployment)
    return _judged(result, deployment)


def _judged(result: Result, deployment: str) -> Outcome:
    targets = tuple(map(_target, result.visits))
    told = f"{result.succeeded} of {result.total} targets"
    if result.failure is None:
        return Succeeded(
            summary=f"Deployment Succeeded: {told}", external_id=deployment, targets=targets
        )
    return Failed(
        str(result.failure),
        result.failure.code,
        summary=f"Deployment Failed: {told} succeeded",
        external_id=deployment,
        targets=targets,
    )


def _target(visit: Visit) -> DeployTarget:
    events = (
        TargetEvent(each.name, each.status, each.begun, each.seconds, each.failure[:MOST_TOLD])
        for each in visit.own_events
    )
    kind = "InstanceTarget" if visit.host.place.startswith(SCHEME) else "FolderTarget"
    return DeployTarget(visit.host.place, kind, visit.status, tuple(events))


def _deploy(job: Job, application: str, name: str, number: str) -> Result:
    group = job.settings.groups[f"{application}/{name}"]
    environment = {
        **group.environment,
        "APPLICATION_NAME": application,
        "DEPLOYMENT_ID": number,
        "DEPLOYMENT_GROUP_NAME": name,
        "DEPLOYMENT_GROUP_ID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{application}/{name}")),
        "PIPELINEKIT_ACTION_EXECUTION_ID": job.order.id,
    }
    spec, bundle = _revision(job, has_traffic=group.traffic is not None)
    deployment = Deployment(
        id=number,
        bundle=bundle,
        spec=as_json(spec),
        environment=json.dumps(environment),
        keep=group.keep,
        rollback=group.rollback,
    )
    try:
        return _roll_out(job, group, deployment, environment)
    finally:
        bundle.unlink()


def _roll_out(
    job: Job, group: DeploymentGroup, deployment: Deployment, environment: Mapping[str, str]
) -> Result:
    say, traffic = in_turn(job.say), None
    if group.traffic is not None:
        traffic = Traffic(
            command=group.traffic,
            folder=Path(job.settings.folder),
            seconds=group.traffic_seconds,
            environment=environment,
            log=job.folder / "traffic.log",
            say=say,
        )
    if group.targets or traffic is None:
        rollout = Rollout(deployment, _health(group, group.targets), traffic, say)
        return rollout.to(_hosts(group, group.targets, job.settings))
    sets = {BLUE: group.blue, GREEN: group.green}
    healths = {each: _health(group, targets) for each, targets in sets.items()}
    hosts = {each: _hosts(group, targets, job.settings) for each, targets in sets.items()}
    return BlueGreen(deployment, healths, traffic, say).to(hosts)


def _health(group: DeploymentGroup, targets: Sequence[str]) -> Health:
    return Health.configured(group.config, group.minimum_healthy, len(targets))


def _hosts(group: DeploymentGroup, targets: Sequence[str], settings: Settings) -> list[Host]:
    return [
        _remote(Address.read(text), group.python)
        if text.startswith(SCHEME)
        else FolderHost(text, _folder(text, settings))
        for text in targets
    ]


def _remote(address: Address, python: str) -> Host:
    from pipelinekit.tools.deployments.remote import (  # noqa: PLC0415 - paramiko takes half a second to load
        RemoteHost,
    )

    return RemoteHost(address, python)


# ------------------------------------------------------------------ the revision


def _revision(job: Job, *, has_traffic: bool) -> tuple[AppSpec, Path]:
    revision, bundle = job.read(), job.folder / "bundle.zip"
    spec = _specification(revision)
    for sentence in spec.ignored:
        job.say(sentence)
    for event in () if has_traffic else LOAD_BALANCED:
        if spec.hooks.get(event):
            job.say(f"-- {event}: skipped, for the group has no traffic command --")
    try:
        check_links(revision)
        pack(revision, bundle)
    except (ArchiveError, OSError) as error:
        raise DeploymentError(f"Packing the revision: {error}", CONFIGURATION_ERROR) from None
    return spec, bundle


def _specification(revision: Path) -> AppSpec:
    path = next((revision / name for name in APPSPECS if (revision / name).is_file()), None)
    if path is None:
        entries = sorted(f"{e.name}/" if e.is_dir() else e.name for e in revision.iterdir())
        more = f" and {len(entries) - SHOWN_ENTRIES} more" if len(entries) > SHOWN_ENTRIES else ""
        raise DeploymentError(
            "The revision needs an appspec.yml at its root, and there is only "
            f"{', '.join(entries[:SHOWN_ENTRIES]) or 'nothing'}{more}; add it to the artifact",
            CONFIGURATION_ERROR,
        )
    try:
        return appspec.read(document.read(path))
    except document.DocumentError as error:
        raise DeploymentError(f"Reading the revision: {error}", CONFIGURATION_ERROR) from None
