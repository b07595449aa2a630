#!/bin/sh
# Tests clients/js, or says why it does not. bin/stormwheel is there.
set -e
cd "$(dirname "$0")/.."

skip() { echo "clients/js is not tested: $1"; exit 0; }
bounded() { if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi; }

command -v node >/dev/null || skip "there is no node"
command -v npm >/dev/null || skip "there is no npm"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is older than 20"
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
	bounded 180 npm ci --ignore-scripts --no-audit --no-fund || skip "npm ci fails: the registry may be out of reach"
	touch node_modules/.package-lock.json
fi
bounded 600 npm test
bounded 300 npm run --silent test:global
npm run --silent size -- --check
npm run --silent page -- --check
