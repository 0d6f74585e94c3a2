"""Writes a pipeline and its CodeBuild projects in Terraform's language."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.tools.documents.document import JSON
from pipelinekit.wire.declaration_writer import write_pipeline
from pipelinekit.wire.templates.terraform import LISTS, PIPELINE, PROJECT

Object = Mapping[str, JSON]

UNKNOWN: Final = {
    "commands": "commands",
    "outputVariables": "output variables",
    "environmentVariables": "environment variables",
}
"""What Terraform's AWS provider, to 5.100, has no arguments for in an action."""
ADVICE: Final = "export it as cloudformation or json"
_SINGULAR: Final = {other: name for name, other in LISTS.items() if name != "build_timeout"}
_INDENT: Final = "  "
_END: Final = "EOT"
_FEW: Final = 2
_PLAIN_KEY: Final = r"(?!(?:for|in|if|else|null|true|false)$)[A-Za-z_][A-Za-z0-9_]*"


class NotInTerraform(ValidationError):
    """A pipeline with something for which Terraform's AWS provider has no words."""


def write_terraform(pipeline: Pipeline, projects: Iterable[dict[str, JSON]] = ()) -> str:
    """Write resources in Terraform's language, which are read back equal.

    Args:
        pipeline: The pipeline; its version is what CodePipeline counts, and not in Terraform.
        projects: CodeBuild projects, as `batch-get-projects` prints them.

    Raises:
        NotInTerraform: It has something that the provider's aws_codepipeline lacks.
    """
    _refuse_unknown(pipeline)
    declaration = write_pipeline(pipeline)
    del declaration["version"]
    taken: set[str] = set()
    blocks = [_resource(PIPELINE, pipeline.name, _pipeline(declaration), taken)]
    blocks += [_resource(PROJECT, str(each["name"]), _project(each), taken) for each in projects]
    return "\n".join(blocks)


def _refuse_unknown(pipeline: Pipeline) -> None:
    for stage in pipeline.stages:
        if stage.blockers:
            raise _refusal(f"stage {stage.name}", "blockers")
        for action in stage.actions:
            place = f"action {stage.name}/{action.name}"
            if action.commands or action.output_variables or action.environment:
                raise _refusal(place, " or ".join(UNKNOWN.values()))
            if any(output.files for output in action.outputs):
                raise _refusal(place, "files of an output artifact")


def _refusal(place: str, what: str) -> NotInTerraform:
    return NotInTerraform(
        f"{place} was to be exported to terraform, whose AWS provider has no {what}; {ADVICE}"
    )


# ------------------------------------------------------------------ what the blocks hold


def _pipeline(declaration: dict[str, JSON]) -> Iterator[str]:
    stores = declaration.pop("artifactStores", {})
    members: dict[str, JSON] = {}
    for name, value in declaration.items():
        members[name] = value
        if name == "roleArn" and isinstance(stores, dict) and stores:
            regional = [{"region": region, **_object(each)} for region, each in stores.items()]
            members["artifactStore"] = list[JSON](regional)
    return _body(members)


def _project(project: dict[str, JSON]) -> Iterator[str]:
    members = dict(project)
    if "timeoutInMinutes" in members:
        members["buildTimeout"] = members.pop("timeoutInMinutes")
    return _body(members)


def _body(members: Object) -> Iterator[str]:
    """Write the attributes first, then the blocks, as is the custom."""
    attributes: dict[str, str] = {}
    blocks: list[tuple[str, Object]] = []
    for name, value in members.items():
        inner = list(_blocks(name, value))
        blocks += inner
        if not inner:
            attributes |= _attribute(name, value)
    # As `terraform fmt` has it: a map is not aligned with the others.
    maps = {key: written for key, written in attributes.items() if written.startswith("{")}
    width = max((len(each) for each in attributes if each not in maps), default=0)
    for key, written in attributes.items():
        if key not in maps:
            yield from f"{key.ljust(width)} = {written}".split("\n")
    for key, written in maps.items():
        yield from f"{key} = {written}".split("\n")
    for key, held in blocks:
        yield ""
        yield from _braced(key, _body(held))


def _blocks(name: str, value: JSON) -> Iterator[tuple[str, Object]]:
    if name in {"configuration", "actionTypeId", "inputArtifacts", "outputArtifacts"}:
        return
    if isinstance(value, dict):
        yield _snake(name), value
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict):
                yield _SINGULAR.get(name, _snake(name)), each


def _attribute(name: str, value: JSON) -> dict[str, str]:
    key = _snake(name)
    match name:
        case "actionTypeId":
            return {word: _text(str(each)) for word, each in _object(value).items()}
        case "configuration":
            return {key: _map(_object(value))} if value else {}
        case "inputArtifacts" | "outputArtifacts":
            return {key: _names(value)} if value else {}
        case _:
            return {key: _value(value)}


def _braced(head: str, lines: Iterable[str]) -> Iterator[str]:
    inside = list(lines)
    if not inside:
        yield f"{head} {{}}"
        return
    yield f"{head} {{"
    for number, line in enumerate(inside):
        if number or line:
            yield _indented(line)
    yield "}"


def _indented(line: str) -> str:
    return f"{_INDENT}{line}" if line else line


def _resource(kind: str, name: str, lines: Iterable[str], taken: set[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9_]+", "_", name)
    base = base if re.match(r"[A-Za-z_]", base) else f"_{base}"
    names = (base, *(f"{base}_{number}" for number in range(2, len(taken) + 3)))
    label = next(each for each in names if f"{kind}.{each}" not in taken)
    taken.add(f"{kind}.{label}")
    return "\n".join(_braced(f'resource "{kind}" "{label}"', lines)) + "\n"


# ------------------------------------------------------------------ single values


def _value(value: JSON) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_text(str(each)) for each in value)}]"
    if isinstance(value, int):
        return str(value).lower()  # true and false, too
    return _heredoc(value) if isinstance(value, str) and _is_script(value) else _text(str(value))


def _map(pairs: Object) -> str:
    keys = {key: key if re.fullmatch(_PLAIN_KEY, key) else _text(key) for key in pairs}
    width = max(map(len, keys.values()))
    lines = [f"{_INDENT}{keys[key].ljust(width)} = {_text(str(pairs[key]))}" for key in pairs]
    return "\n".join(["{", *lines, "}"])


def _is_script(text: str) -> bool:
    """Tell whether a text can stand as it is, with the indentation of its block taken out."""
    lines = text.split("\n")
    return (
        len(lines) > _FEW
        and not lines.pop()
        and not re.search(r"[$%]\{|[^\n -~]", text)
        and any(line[:1].strip() for line in lines)
        and all(line.strip() not in {_END, ""} or not line for line in lines)
    )


def _heredoc(text: str) -> str:
    lines = [f"{_INDENT}{line}" if line else "" for line in text.split("\n")[:-1]]
    return "\n".join([f"<<-{_END}", *lines, _END])


def _names(value: JSON) -> str:
    names = [str(_object(each)["name"]) for each in value] if isinstance(value, list) else []
    return f"[{', '.join(map(_text, names))}]"


def _text(text: str) -> str:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    written = re.sub(r"([$%]+)\{", _escaped, written)
    return f'"{re.sub(_CONTROL, _code, written)}"'


_CONTROL: Final = r"[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]"
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _code(match: re.Match[str]) -> str:
    return _SHORT.get(match[0], f"\\u{ord(match[0]):04x}")


def _escaped(match: re.Match[str]) -> str:
    # As codes: `$${` would be the custom, but whether it needs a `}` is read in two ways.
    return "".join(f"\\u{ord(sign):04x}" for sign in match[1]) + "{"


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def _object(value: JSON) -> dict[str, JSON]:
    assert isinstance(value, dict)  # noqa: S101 - the writer of declarations makes objects there
    return value
