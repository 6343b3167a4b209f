#!/usr/bin/env bash
# Arrow: consecutive "exact" monthly spans from the 31st leave days that belong to no span.
# The starts follow the anchor (31, 28, 31), but each end is its own start plus one month, so the
# last three days of March lie between two billing periods.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" arrow==1.4.0 python-dateutil==2.9.0.post0 tzdata==2026.6

cat >demo.py <<'EOF'
import arrow

spans = list(arrow.Arrow.span_range("month", arrow.get("2026-01-31"), arrow.get("2026-05-31"), exact=True))
for (start, end), following in zip(spans, spans[1:] + [None]):
    gap = (following[0].date() - end.date()).days - 1 if following else 0
    print(f"{start.date()} to {end.date()}, days missing before the next: {gap}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
2026-01-31 to 2026-02-27, days missing before the next: 0
2026-02-28 to 2026-03-30, days missing before the next: 0
2026-03-31 to 2026-04-29, days missing before the next: 0
2026-04-30 to 2026-05-30, days missing before the next: 0
EOF
)
recorded=$(cat <<'EOF'
2026-01-31 to 2026-02-27, days missing before the next: 0
2026-02-28 to 2026-03-27, days missing before the next: 3
2026-03-31 to 2026-04-29, days missing before the next: 0
2026-04-30 to 2026-05-29, days missing before the next: 0
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "arrow 1.4.0, python-dateutil 2.9.0.post0, tzdata 2026.6" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
