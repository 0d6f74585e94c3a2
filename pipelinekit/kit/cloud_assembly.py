"""Reads a cdk.out: the templates of all its stacks, each with what the CDK knows of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Document, Form, Node, parse, read_text
from pipelinekit.wire.templates.assembly import Assembly
from pipelinekit.wire.templates.cloudformation import exports_of, read_cloudformation
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.template import SHORT_FORMS, is_template

LARGEST: Final = 16 * 1024 * 1024
MANIFEST: Final = "manifest.json"
STACK: Final = "aws:cloudformation:stack"
NESTED: Final = "cdk:cloud-assembly"
TEMPLATE: Final = ".template.json"


class _Stack(Noun, gc=True):
    """A stack of the assembly.

    Attributes:
        id: What the manifest calls it.
        name: Its own name, which two have where they are in two environments.
        environment: The account and the region, as the manifest writes them.
        document: Its template.
        gaps: With what the CDK knows of it.
    """

    id: str
    name: str
    environment: str
    document: Document
    gaps: Gaps


def read_template_file(path: Path) -> Document:
    """Read JSON or YAML in which short forms of CloudFormation may stand.

    Raises:
        DocumentError: It is neither.
    """
    text = read_text(path, str(path), max_bytes=LARGEST)
    braces = path.suffix == ".json" or text.lstrip()[:1] == "{"
    form = Form.JSON if braces else Form.YAML
    return parse(text, str(path), form, max_bytes=LARGEST, forms=SHORT_FORMS)


def read_cloud_assembly(folder: Path, gaps: Gaps) -> list[Assembly]:
    """Read the stacks of a cdk.out.

    Args:
        folder: Where its manifest is.
        gaps: Values that were given, and placeholders for what is not known.

    Raises:
        DocumentError: A file of it cannot be read.
    """
    stacks = [each for each in _stacks(folder, gaps) if is_template(each.document)]
    names = Counter(each.name for each in stacks)
    called = [(each, each.name if names[each.name] == 1 else each.id) for each in stacks]
    exports: dict[str, dict[str, str]] = defaultdict(dict)
    for each, name in called:
        exports[each.environment] |= exports_of(each.document, each.gaps, name)
    return [
        read_cloudformation(each.document, each.gaps, exports[each.environment], name)
        for each, name in called
    ]


def _stacks(folder: Path, gaps: Gaps) -> Iterator[_Stack]:
    manifest = read_template_file(folder / MANIFEST)
    listed: set[Path] = set()
    for name, artifact in manifest.root.need("artifacts").mapping().items():
        kind, properties = artifact.need("type").text(), artifact.get("properties")
        if properties is None:
            continue
        if kind == NESTED:
            yield from _stacks(_below(folder, properties.need("directoryName")), gaps)
        elif kind == STACK:
            file = _below(folder, properties.need("templateFile"))
            listed.add(file)
            yield _stack(name, artifact, read_template_file(file), gaps)
    for file in sorted(folder.glob(f"*{TEMPLATE}")):  # nested stacks are not listed
        if file not in listed:
            name = file.name.removesuffix(TEMPLATE)
            yield _Stack(name, name, "", read_template_file(file), gaps)


def _stack(name: str, artifact: Node, document: Document, gaps: Gaps) -> _Stack:
    properties, environment = artifact.need("properties"), artifact.get("environment")
    own, given = properties.get("stackName"), properties.get("parameters")
    stack_name = own.text() if own else name
    place = environment.text().removeprefix("aws://") if environment else ""
    account, _, region = place.partition("/")
    places = {"AWS::AccountId": account, "AWS::Region": region}
    values = given.mapping() if given is not None else {}
    known = {
        "AWS::StackName": stack_name,
        **{key: text for key, text in places.items() if text and not text.startswith("unknown-")},
        **{key: node.data for key, node in values.items() if isinstance(node.data, str)},
    }
    return _Stack(name, stack_name, place, document, gaps.within(known))


def _below(folder: Path, node: Node) -> Path:
    path = folder / node.text()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise node.error("name something in the folder of the assembly")
    return path
