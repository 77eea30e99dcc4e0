#!/bin/sh
# Photographs a report for the README: tests/Bench/picture.sh bench-reports/<time>/report.html
set -eu
report=$(realpath "$1")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
# Chromium's sandbox does not start for root.
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
chromium --headless ${sandbox:-} --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$profile" \
    --window-size="${2:-1000},${3:-940}" --screenshot="${4:-$(dirname "$0")/report.png}" "file://$report"
