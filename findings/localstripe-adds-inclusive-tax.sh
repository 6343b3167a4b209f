#!/usr/bin/env bash
# localstripe: tax that is contained in the price is added to it.
# An inclusive rate of 19 % on 119.00 gives a tax of 22.61 and a total of 141.61, the same figures as for an
# exclusive rate. Stripe answers 19.00 and 119.00. A test against this double approves the wrong total.
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

call("products", id="prod_1", name="Plan", type="service")
call("plans", id="plan_1", amount=11900, currency="eur", interval="month", product="prod_1")
for inclusive in ["false", "true"]:
    customer = call("customers", email="a@example.com")["id"]
    card = call("payment_methods", **{"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2040, "card[cvc]": 123})["id"]
    call(f"payment_methods/{card}/attach", customer=customer)
    call(f"customers/{customer}", **{"invoice_settings[default_payment_method]": card})
    rate = call("tax_rates", display_name="VAT", percentage=19, inclusive=inclusive)["id"]
    call("subscriptions", **{"customer": customer, "items[0][plan]": "plan_1", "default_tax_rates[0]": rate})
    invoice = call(f"invoices?customer={customer}")["data"][0]
    print(f"inclusive {inclusive}: subtotal {invoice['subtotal']}, tax {invoice['tax']}, total {invoice['total']}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
inclusive false: subtotal 11900, tax 2261, total 14161
inclusive true: subtotal 11900, tax 1900, total 11900
EOF
)
recorded=$(cat <<'EOF'
inclusive false: subtotal 11900, tax 2261, total 14161
inclusive true: subtotal 11900, tax 2261, total 14161
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "localstripe 1.15.10, aiohttp 3.14.5, python-dateutil 2.9.0.post0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
