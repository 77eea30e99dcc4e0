#!/bin/sh
# Photographs a report for the README: tests/Bench/picture.sh bench-reports/<time>/report.html
set -eu
report=$(realpath "$1")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
# Chromium's sandbox does not start for root.
[ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
picture=$(realpath "${4:-$(dirname "$0")/report.png}")
rm -f "$picture"
# Without a desktop Chromium complains at length and works all the same: what counts is whether there is a picture.
chromium --headless ${sandbox:-} --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$profile" \
    --window-size="${2:-1120},${3:-1150}" --screenshot="$picture" "file://$report" >/dev/null 2>&1 || true
[ -s "$picture" ] || { echo "Chromium made no picture of $report" >&2; exit 1; }
