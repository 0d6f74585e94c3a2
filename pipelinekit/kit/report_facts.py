"""What a run report tells, all of it as text, so that a page shows it as it is."""

from pipelinekit.model.noun import Noun


class Heading(Noun):
    """Which execution it is about.

    Attributes:
        status: In words.
        tone: What the status means to who looks at it.
    """

    pipeline: str
    number: int
    execution: str
    status: str
    tone: str
    started: str
    time: str
    origin: str
    why: str = ""


class Written(Noun):
    """The definition that it ran by.

    Attributes:
        digest: SHA-256 of the text, before secrets were taken out, hexadecimal.
        text: CodePipeline's JSON.
    """

    version: int
    digest: str
    by: str
    at: str
    text: str


class Setting(Noun):
    """A variable of the pipeline, or a key of an action."""

    place: str
    name: str
    value: str


class Taken(Noun):
    """A revision that a source found."""

    source: str
    id: str
    summary: str
    authors: str


class Change(Noun):
    """A commit that was new in an environment."""

    id: str
    author: str
    title: str


class Since(Noun):
    """What was new in an environment, or in a stage.

    Attributes:
        place: Its name.
        told: What it is compared with, or why it cannot be.
        changes: The newest first.
    """

    place: str
    told: str
    changes: tuple[Change, ...] = ()


class Decision(Noun):
    """What a person decided: an answer to an approval, or to override a condition."""

    place: str
    at: str
    by: str
    what: str
    why: str


class Step(Noun):
    """A stage, a rule of it or an action, and how long it took.

    Attributes:
        depth: 0 for a stage, 1 for what is in it.
    """

    depth: int
    name: str
    status: str
    tone: str
    started: str = ""
    time: str = ""
    told: str = ""


class Kept(Noun):
    """An artifact."""

    name: str
    writer: str
    digest: str
    size: int


class Log(Noun):
    """What an action or a rule said."""

    place: str
    text: str


class Output(Noun):
    """What a cell put out.

    Attributes:
        kind: `text`, `error` or the media type of a picture.
        data: The text; base64 for a picture.
    """

    kind: str
    data: str


class Cell(Noun):
    """A cell of an executed notebook."""

    kind: str
    count: str
    source: str
    outputs: tuple[Output, ...] = ()


class Executed(Noun):
    """A notebook that an action executed."""

    place: str
    name: str
    language: str
    cells: tuple[Cell, ...]


class Report(Noun):
    """All that is told of one execution."""

    heading: Heading
    definition: Written
    made: str
    settings: tuple[Setting, ...] = ()
    revisions: tuple[Taken, ...] = ()
    since: tuple[Since, ...] = ()
    decisions: tuple[Decision, ...] = ()
    steps: tuple[Step, ...] = ()
    artifacts: tuple[Kept, ...] = ()
    notebooks: tuple[Executed, ...] = ()
    logs: tuple[Log, ...] = ()
