#!/usr/bin/env bash
# Updates docs/screenshots: starts the built server with the demo in a temporary folder, and takes
# pictures of its pages in Chromium, light and dark. The pages show the demo as of today, so dates
# and numbers differ from day to day; fonts, time zone and window size don't.
#
#   APEX_SCREENSHOTS_PORT=3130   where the server listens
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

target=${CARGO_TARGET_DIR:-$cache/target}
program=${APEX_BILLING_BIN:-$target/debug/apex-billing}
port=${APEX_SCREENSHOTS_PORT:-3130}
[ -x "$program" ] || die "$program is missing; run \`make build\` first."
begin_work

step "starting the demo"
# Only the run that the script starts appears on the page.
sed 's/^nightly = true$/nightly = false/' Leptos.toml > "$work/Leptos.toml"
address=127.0.0.1:$port password=screenshots-$$
# The demo's own stand-in for Stripe, with its seeded differences.
settings=(DATABASE_URL= STRIPE_SECRET_KEY= STRIPE_API_BASE= RUST_LOG=warn METRICS_ADDR=127.0.0.1:0
  APEX_PG_BIN="$(find_postgres)" DEMO_PASSWORD="$password" PUBLIC_URL="http://$address"
  LEPTOS_SITE_ADDR="$address" LEPTOS_SITE_ROOT="${LEPTOS_SITE_ROOT:-$root/target/site}")
(cd "$work" && exec env "${settings[@]}" "$program" serve --demo) > "$work/log" 2>&1 &
server=$!
until curl -sf -o /dev/null "http://$address/readyz"; do
  kill -0 "$server" 2>/dev/null || die "$(cat "$work/log")"
  sleep 0.2
done

step "taking the screenshots"
mkdir -p "$work/pictures"
# The fonts of the PDFs are the same on every machine.
cat > "$work/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$root/src/pdf/fonts</dir><cachedir>$work/fonts</cachedir></fontconfig>
FONTS
FONTCONFIG_FILE="$work/fonts.conf" node end2end/screenshots.mjs "http://$address" "$password" "$work/pictures" || die "$(tail -n 20 "$work/log")"
mkdir -p docs/screenshots
mv "$work"/pictures/*.webp docs/screenshots/
