"""The shop's commands: `serve` opens it, `stop` closes it."""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from shop import pidfile
from shop.server import ShopServer

STOP_SECONDS = 10.0


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="shop", description="A small web shop.")
    parser.add_argument("command", choices=["serve", "stop"])
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8100"))
    parser.add_argument("--pid-file", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "serve":
            _serve(arguments.port, arguments.pid_file)
        elif arguments.pid_file is None:
            parser.error("stop needs --pid-file")
        else:
            was_open = pidfile.stop(arguments.pid_file, STOP_SECONDS)
            print("The shop is closed." if was_open else "The shop was not open.")
    except (pidfile.StillRunningError, OSError) as error:
        sys.exit(f"shop {arguments.command}: {error}")


def _serve(port: int, pid_file: Path | None) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        if pid_file is not None:
            stack.enter_context(pidfile.hold(pid_file))
        server = stack.enter_context(ShopServer(port))
        print(f"Open at {server.url}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
