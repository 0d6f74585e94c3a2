#!/usr/bin/env bash
# Opens the shop in the background, apart from the deployment that starts it.
set -euo pipefail
root="${PIPELINEKIT_TARGET:-}"
: "${PORT:?give the deployment group a PORT in its environment}"
: "${ENVIRONMENT:?give the deployment group an ENVIRONMENT in its environment}"
export PORT ENVIRONMENT
apart=nohup
if command -v setsid >/dev/null; then apart=setsid; fi   # macOS has none
"$apart" "${PYTHON:-python3}" "$root/srv/shop/shop.pyz" serve --pid-file "$root/run/shop.pid" \
  </dev/null >>"$root/var/log/shop.log" 2>&1 &
echo "Opening the shop of $ENVIRONMENT at port $PORT"
