#!/usr/bin/env bash
# localstripe: a request repeated with the same Idempotency-Key is carried out twice.
# Stripe stores the first answer under the key and returns it again. The double accepts the header
# and ignores it, so a retry test that counts objects fails, and one that does not count proves nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" localstripe==1.15.10 aiohttp==3.14.5 python-dateutil==2.9.0.post0

cat >server.py <<'EOF'
import atexit
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
process = subprocess.Popen([sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
atexit.register(process.kill)


def call(path, headers=(), **form):
    body = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/{path}", body, {"authorization": "Bearer sk_test_12345", **dict(headers)})
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit("localstripe does not answer")
EOF

cat >demo.py <<'EOF'
from server import call

first, second = (call("customers", {"idempotency-key": "key-1"}, email="a@example.com")["id"] for _ in range(2))
print("same customer:", first == second)
print("customers:", len(call("customers")["data"]))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
same customer: True
customers: 1
EOF
)
recorded=$(cat <<'EOF'
same customer: False
customers: 2
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "localstripe 1.15.10, aiohttp 3.14.5, python-dateutil 2.9.0.post0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
