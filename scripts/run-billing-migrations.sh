#!/usr/bin/env bash
# Applies missing migrations to DATABASE_URL; the old stack's script had the same name. Takes the
# arguments of `apex-billing migrate`: `status`, `down --to N`.
set -euo pipefail
program=${APEX_BILLING_BIN:-apex-billing}
command -v "$program" >/dev/null || { echo "apex-billing is not in PATH: set APEX_BILLING_BIN to its path." >&2; exit 1; }
[ -n "${DATABASE_URL:-}" ] || [ -f .env ] || { echo "Set DATABASE_URL in the environment or in .env." >&2; exit 1; }
exec "$program" migrate "$@"
