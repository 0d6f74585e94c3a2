#!/usr/bin/env bash
# Asks the shop how it is, until the release that was installed answers or 10 seconds have passed.
set -euo pipefail
root="${PIPELINEKIT_TARGET:-}"
: "${PORT:?give the deployment group a PORT in its environment}"
if ! "${PYTHON:-python3}" - "http://127.0.0.1:$PORT/health" "$root/srv/shop/version.json" <<'PYTHON'
import json, sys, time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

url, installed = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
ask = build_opener(ProxyHandler({})).open
deadline, answer = time.monotonic() + 10, "nobody answered"
while time.monotonic() < deadline:
    try:
        answer = json.load(ask(url, timeout=2))
        if installed.items() <= answer.items():
            sys.exit(print(f"{url} answers: {answer}"))
    except (OSError, ValueError) as error:
        answer = error
    time.sleep(0.05)
sys.exit(f"{url} was to answer with {installed} within 10 s, and the last answer was: {answer}")
PYTHON
then
  echo "The last lines of $root/var/log/shop.log:" >&2
  tail -n 20 "$root/var/log/shop.log" >&2
  exit 1
fi
