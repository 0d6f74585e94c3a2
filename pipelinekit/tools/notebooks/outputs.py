"""What cells put out, on its way from the kernel into the notebook: without secrets, and cut."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from pipelinekit.tools.notebooks.document import NotebookError
from pipelinekit.tools.notebooks.inside import MARK, Meter
from pipelinekit.tools.notebooks.limits import MEGABYTE, Caps, Say
from pipelinekit.tools.redact import Redactor

Message: TypeAlias = dict[str, Any]
COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
PRIVATE_KEYS: Final = ("data", "metadata", "text", "ename", "evalue", "traceback", "buffers")


class OutputTooLarge(NotebookError):
    """A cell that puts out more than it may."""


class Outputs:
    """Lets through the messages of a kernel.

    Args:
        caps: How much of them.
        secrets: Values that nobody may see.
        say: Is given what is printed, line by line.
    """

    def __init__(self, caps: Caps, secrets: Sequence[str] = (), say: Say | None = None) -> None:
        self._caps = caps
        self._meter = Meter(caps.kept, caps.most)
        self._redactor = Redactor(secrets)
        self._streams = {name: Redactor(secrets) for name in ("stdout", "stderr")}
        self._lines = Lines(say) if say else None

    def learn(self, secrets: Sequence[str]) -> None:
        """Know more values that nobody may see, from now on."""
        self._redactor = Redactor(secrets)
        self._streams = {name: Redactor(secrets) for name in self._streams}

    def redacted(self, value: Any) -> Any:  # noqa: ANN401 - whatever JSON has
        """Take secrets out of all texts of a value of JSON."""
        if not self._redactor:
            return value
        if isinstance(value, str):
            return self._redactor.redacted(value)
        if isinstance(value, list | tuple):
            return [self.redacted(each) for each in value]
        if isinstance(value, dict):
            return {self.redacted(key): self.redacted(each) for key, each in value.items()}
        return value

    def passed(self, message: Message) -> Iterator[Message]:
        """Give what of a message is let through, after what was held back before it.

        Raises:
            OutputTooLarge: The cell has put out too much.
        """
        kind = message["msg_type"]
        if kind in {"status", "execute_input"}:
            yield from self._rest(message) if _ends(message) else ()
            yield message
            return
        parent = message["parent_header"].get("msg_id", "")
        content = self._meter.passed(parent, kind, message["content"])
        if content is not None:
            yield from self._shown({**message, "content": content})
        if self._meter.is_over or MARK in message["metadata"]:
            raise OutputTooLarge(
                f"it put out more than {self._caps.most / MEGABYTE:g} MB, and was ended; write "
                f"files instead of so much output"
            )

    def _shown(self, message: Message) -> Iterator[Message]:
        content = message["content"]
        if message["msg_type"] == "stream":
            stream = self._streams.setdefault(content["name"], self._streams["stdout"])
            data = content["text"].encode("utf-8", "surrogatepass")
            yield from self._printed(message, content["name"], stream.feed(data))
            return
        yield from self._rest(message)
        private = {key: self.redacted(content[key]) for key in PRIVATE_KEYS if key in content}
        if self._lines and "traceback" in private:
            self._lines.write(COLOUR.sub("", "\n".join(private["traceback"])) + "\n")
        yield {**message, "content": {**content, **private}}

    def _rest(self, message: Message) -> Iterator[Message]:
        for name, stream in self._streams.items():
            yield from self._printed(message, name, stream.close())

    def _printed(self, message: Message, name: str, data: bytes) -> Iterator[Message]:
        if not data:
            return
        text = data.decode("utf-8", "replace")
        if self._lines:
            self._lines.write(text)
        header = {**message["header"], "msg_type": "stream"}
        content = {"name": name, "text": text}
        yield {**message, "msg_type": "stream", "header": header, "content": content}

    def close(self) -> None:
        """Say what is left of a line."""
        if self._lines:
            self._lines.close()


class Lines:
    """Takes what cells print, and hands it on line by line."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._rest = ""

    def write(self, text: str) -> None:
        """Take some text."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line)

    def close(self) -> None:
        """Hand on what has no line end."""
        if self._rest:
            self._say(self._rest)
        self._rest = ""


def _ends(message: Message) -> bool:
    return bool(message["content"].get("execution_state") == "idle")
