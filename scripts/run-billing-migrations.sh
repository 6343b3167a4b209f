#!/usr/bin/env bash
# Applies the migrations that are missing to DATABASE_URL; the name is that of the old stack's script. Arguments are those of
# `apex-billing migrate`: `status`, `down --to N`.
set -euo pipefail
program=${APEX_BILLING_BIN:-apex-billing}
command -v "$program" >/dev/null || { echo "apex-billing is not in PATH; APEX_BILLING_BIN names it." >&2; exit 1; }
[ -n "${DATABASE_URL:-}" ] || [ -f .env ] || { echo "DATABASE_URL names the database, in the environment or in .env." >&2; exit 1; }
exec "$program" migrate "$@"
