"""Calls a Python handler as Lambda's runtime does; the process ends with the handler.

Standard input holds what to call, as JSON; the file that is named there tells how it ended.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, NoReturn


class Context:
    """What a handler is told of its invocation, by the names that AWS gives it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._deadline_ms: int = given["deadline_ms"]
        self.function_name = given["function_name"]
        self.function_version = "$LATEST"
        self.invoked_function_arn = given["function_arn"]
        self.memory_limit_in_mb = given["memory_mb"]
        self.aws_request_id = given["request_id"]
        self.log_group_name = given["log_group"]
        self.log_stream_name = given["log_stream"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """Tell how many milliseconds are left."""
        return max(0, self._deadline_ms - time.time_ns() // 1_000_000)

    def log(self, message: object) -> None:
        """Write a message to the log as it is."""
        sys.stdout.write(str(message))


def main() -> NoReturn:
    """Call the handler, and end the process when it returns, whatever threads it has left."""
    given = json.load(sys.stdin)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    answer = Path(given["answer"])

    def crashed(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> NoReturn:
        own = trace
        while own is not None and own.tb_frame.f_code.co_filename == __file__:
            own = own.tb_next
        told = "".join(traceback.format_exception(kind, error, own))
        sys.stderr.write(f"[ERROR] {kind.__name__}: {error}\n{told}")
        _end(answer, {"type": kind.__name__, "message": str(error)})

    sys.excepthook = crashed
    sys.path[0] = given["folder"]
    sys.dont_write_bytecode = True  # the folder is the user's
    _log_as_lambda_does(given["request_id"])
    module, _, name = given["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    handler(given["event"], Context(given))
    _end(answer, None)


def _log_as_lambda_does(request_id: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    form = f"[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t{request_id}\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


def _end(answer: Path, error: dict[str, str] | None) -> NoReturn:
    answer.write_text(json.dumps({"error": error}), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if error else 0)


if __name__ == "__main__":
    main()
