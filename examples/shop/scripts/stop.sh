#!/usr/bin/env bash
# Closes the shop of this host, and waits until it is closed.
set -euo pipefail
root="${PIPELINEKIT_TARGET:-}"
revision="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
exec "${PYTHON:-python3}" "$revision/shop.pyz" stop --pid-file "$root/run/shop.pid"
