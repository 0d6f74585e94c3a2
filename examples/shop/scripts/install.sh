#!/usr/bin/env bash
# Makes the host ready, and sees that the shop can run here at all.
set -euo pipefail
root="${PIPELINEKIT_TARGET:-}"
mkdir -p "$root/run" "$root/var/log"
"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The shop needs Python 3.11 or newer")'
"${PYTHON:-python3}" "$root/srv/shop/shop.pyz" --help >/dev/null
