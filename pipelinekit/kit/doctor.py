"""What can run here and what cannot, and the line that changes it; asking changes nothing."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipelinekit.builds.compute import compute_of
from pipelinekit.builds.place import confinement
from pipelinekit.kit.ability import obstacle, obstacles
from pipelinekit.kit.elsewhere import COMMANDS
from pipelinekit.kit.home import Home
from pipelinekit.kit.registry import action_types, discover
from pipelinekit.kit.settings_file import FILE, SettingsError, load_settings, settings_document
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.errors import StoreError
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Aws, Project, Settings
from pipelinekit.runtime.engines import alive
from pipelinekit.store.looking import look_at
from pipelinekit.store.places import shown
from pipelinekit.tools.commands.confinement import ConfinementError
from pipelinekit.tools.commands.containers import container_engine, container_obstacle
from pipelinekit.tools.commands.sandbox import sandbox_obstacle
from pipelinekit.tools.jobs.cgroup import Limits, make_group

PROGRAMS: Final = {
    "git": (("git", "--version"), "sources cannot be fetched; install git"),
    "bash": (("bash", "--version"), "builds run in sh instead; install bash"),
    "node": (("node", "--version"), "Lambda functions in Node cannot run; install nodejs"),
    "ssh": (
        ("ssh", "-V"),
        "sources and deployments over SSH cannot run; install openssh-client",
    ),
}
"""By name, how a program tells its version, and what it means that it is not here."""

EXAMPLES: Final = {
    "ConnectionArn": "arn:aws:codeconnections:...",
    "Cron": "0 0 9-17 ? * MON-FRI *",
    "Freezes": "[]",
    "FullRepositoryId": "me/shop",
    "Notebook": "report.ipynb",
    "NotebookPath": "report.ipynb",
    "Operator": "EQ",
    "Value": "main",
    "Variable": "#{source.BranchName}",
}
"""Values of required keys, for an action that stands for all of its type."""

ASK_SECONDS: Final = 5.0
TRIAL: Final = Limits(memory_mb=64, processes=64)


class Standing(StrEnum):
    """What can be said of a thing."""

    HERE = "here"
    OPEN = "once configured"
    NOT_HERE = "not here"


class Fact(Noun):
    """One thing that was looked at.

    Attributes:
        name: What it is.
        standing: Whether it is here.
        found: What was found, in a line.
        advice: What changes it, in one line or many; empty when nothing has to change.
    """

    name: str
    standing: Standing
    found: str = ""
    advice: str = ""


class Findings(Noun):
    """All that was looked at.

    Attributes:
        machine: The programs of this machine and what they allow.
        project: The state, the settings, and all that the settings ask for.
        actions: The actions of a definition; without one, every action type.
        asked: Which of the facts must be here, for all to run that is asked for.
    """

    machine: tuple[Fact, ...]
    project: tuple[Fact, ...]
    actions: tuple[Fact, ...]
    asked: tuple[Fact, ...]

    @property
    def ready(self) -> bool:
        """Tell whether everything can run that is asked for."""
        return all(fact.standing is Standing.HERE for fact in self.asked)


def examine(home: Home, folder: Path, pipeline: Pipeline | None = None) -> Findings:
    """Look at this machine, at a project, and at what its actions need.

    Args:
        home: The folder of the state, which need not be there.
        folder: Whose settings count.
        pipeline: Whose actions are looked at; when None, every action type is.
    """
    settings, told = _settings(folder)
    wishes = tuple(_wishes(settings))
    actions = tuple(_types(settings) if pipeline is None else _actions(pipeline, settings))
    store, engine = _of_home("store", _store, home), _of_home("engine", _engine, home)
    project = (store, engine, told, _aws(settings.aws), *wishes)
    asked = (store, told, *(wishes if pipeline is None else actions))
    return Findings(tuple(_machine()), project, actions, asked)


# ------------------------------------------------------------------ the machine


def _machine() -> Iterator[Fact]:
    system = f"{platform.system()} {platform.machine()}"
    yield Fact("Python", Standing.HERE, f"{platform.python_version()} on {system}")
    for name, (command, without) in PROGRAMS.items():
        version = _version(command)
        yield Fact(name, Standing.HERE, version) if version else _not_here(name, without)
    yield _sandbox()
    engine = container_engine()
    if engine is None:
        yield _not_here("containers", container_obstacle() or "")
    else:
        rights = "without root's rights" if engine.rootless else "with root's rights"
        yield Fact("containers", Standing.HERE, f"{engine.name}, {rights}")
    yield _limits()


def _version(command: tuple[str, ...]) -> str | None:
    if shutil.which(command[0]) is None:
        return None
    try:
        told = subprocess.run(
            command,
            capture_output=True,
            check=False,
            errors="replace",
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=ASK_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\d+(\.\w+)+", told.stdout + told.stderr)
    return number[0] if number else "of an unknown version"


def _sandbox() -> Fact:
    if trouble := sandbox_obstacle():
        return _not_here("sandbox", trouble)
    return Fact("sandbox", Standing.HERE, "bubblewrap keeps builds apart from this machine")


def _limits() -> Fact:
    group = make_group(TRIAL)
    if group is None:
        return Fact(
            "limits",
            Standing.OPEN,
            "memory_mb and processes hold in a sandbox for each process by itself",
            "let this user make control groups, and they hold for a build as a whole",
        )
    group.remove()
    return Fact("limits", Standing.HERE, "control groups hold a build to memory_mb and processes")


def _not_here(name: str, trouble: str) -> Fact:
    found, _, advice = trouble.rpartition("; ")
    return Fact(name, Standing.NOT_HERE, found, advice)


# ------------------------------------------------------------------ the project


def _of_home(name: str, look: Callable[[Home], Fact], home: Home) -> Fact:
    try:
        return look(home)
    except OSError as error:
        found = f"{error.filename} cannot be read: {error.strerror}"
        return Fact(name, Standing.NOT_HERE, found, "give --home")


def _store(home: Home) -> Fact:
    there = next(each for each in (home.folder, *home.folder.parents) if each.exists())
    if not os.access(there, os.W_OK):
        return Fact("store", Standing.NOT_HERE, f"{there} cannot be written to", "give --home")
    try:
        look_at(home.database)
    except StoreError as error:
        return _not_here("store", str(error))
    url = shown(home.database)
    new = "" if home.folder.exists() else ", made with the first start"
    return Fact("store", Standing.HERE, f"{url.removeprefix('sqlite:///')}{new}")


def _engine(home: Home) -> Fact:
    if home.folder.exists() and alive(home.engines):
        return Fact("engine", Standing.HERE, "at work")
    return Fact("engine", Standing.OPEN, "none is at work", "pipelinekit run FILE starts one")


def _settings(folder: Path) -> tuple[Settings, Fact]:
    try:
        settings, document = load_settings(folder), settings_document(folder)
    except SettingsError as error:
        found, _, advice = str(error).rpartition("; ")
        return Settings(str(folder)), Fact("settings", Standing.NOT_HERE, found, advice)
    absent = f"none: there is no {FILE} in {folder}"
    found = absent if document is None else str(folder / document.name)
    return settings, Fact("settings", Standing.HERE, found)


def _aws(account: Aws | None) -> Fact:
    if account is None:
        return Fact("AWS", Standing.OPEN, "no account is asked", '[aws]\nprofile = "..."')
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - heavy, and seldom needed
    from botocore.session import Session  # noqa: PLC0415 - likewise

    session = Session(profile=account.profile)
    session.set_config_variable("metadata_service_timeout", 0.2)
    asked = account.endpoint or f"profile {account.profile or 'default'}"
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        return Fact("AWS", Standing.NOT_HERE, f"{asked}: {error}", "aws configure")
    if credentials is None:
        return Fact(
            "AWS", Standing.NOT_HERE, f"{asked}: no credentials are found", "aws configure"
        )
    return Fact("AWS", Standing.HERE, f"{asked}, credentials by {credentials.method}")


def _wishes(settings: Settings) -> Iterator[Fact]:
    yield _usual_place(settings)
    for name in settings.projects:
        yield _wish(f"codebuild.{name}", Category.BUILD, {"ProjectName": name}, settings)
    for name in settings.groups:
        application, _, group = name.partition("/")
        keys = {"ApplicationName": application, "DeploymentGroupName": group}
        yield _wish(f"codedeploy.{application}.{group}", Category.DEPLOY, keys, settings)
    for name in settings.functions:
        yield _wish(f"lambda.{name}", Category.INVOKE, {"FunctionName": name}, settings)


def _usual_place(settings: Settings) -> Fact:
    try:
        place = confinement(compute_of(Project(), settings), writable=()).place
    except ConfinementError as error:
        return _not_here("builds", str(error))
    return Fact("builds", Standing.HERE, f"run in: {place}")


_PROVIDERS: Final = {
    Category.BUILD: "CodeBuild",
    Category.DEPLOY: "CodeDeploy",
    Category.INVOKE: "Lambda",
}


def _wish(name: str, category: Category, keys: Mapping[str, str], settings: Settings) -> Fact:
    kind = action_types()[ActionTypeId(category, Owner.AWS, _PROVIDERS[category])]
    trouble = obstacle(_example(kind, keys), settings)
    if trouble is None:
        return Fact(f"[{name}]", Standing.HERE)
    return Fact(f"[{name}]", Standing.NOT_HERE, *_parted(trouble))


# ------------------------------------------------------------------ the actions


def _actions(pipeline: Pipeline, settings: Settings) -> Iterator[Fact]:
    for place, action, trouble in obstacles(pipeline, settings):
        name = place.partition(" ")[2]
        if trouble is None:
            yield Fact(name, Standing.HERE, _short(action.type))
        else:
            yield Fact(name, Standing.NOT_HERE, *_parted(trouble))


def _types(settings: Settings) -> Iterator[Fact]:
    kinds = action_types()
    for type_id in sorted(kinds, key=str):
        yield _type(kinds[type_id], settings)


def _type(kind: ActionType, settings: Settings) -> Fact:
    name = _short(kind.id)
    if kind.id in discover():
        trouble = obstacle(_example(kind, {}), settings)
        if trouble is None:
            return Fact(name, Standing.HERE, kind.description)
        return Fact(name, Standing.OPEN, *_parted(trouble))
    command = COMMANDS.get(str(kind.id))
    if command is None:
        return Fact(name, Standing.NOT_HERE, "nothing here carries it out")
    return Fact(name, Standing.NOT_HERE, "done by AWS", f"a CodeBuild action can run {command}")


def _example(kind: ActionType, keys: Mapping[str, str]) -> Action:
    needed = [each.name for each in kind.properties if each.required or each.name in EXAMPLES]
    examples = {name: EXAMPLES.get(name, "shop") for name in needed}
    inputs = tuple(f"Input{number}" for number in range(kind.inputs[0]))
    written = {**examples, **keys}
    return Action("Example", kind.id, written, inputs=inputs or ("Input",), commands=("true",))


def _short(type_id: ActionTypeId) -> str:
    return f"{type_id.category}/{type_id.provider}"


def _parted(trouble: str) -> tuple[str, str]:
    # Lines to write into a file stand below the sentence that asks for them.
    sentence, _, lines = trouble.partition("\n")
    if lines.strip():
        return sentence.strip(), re.sub(r"\n{2,}", "\n", lines.strip())
    found, _, advice = sentence.rpartition("; ")
    return found, advice
