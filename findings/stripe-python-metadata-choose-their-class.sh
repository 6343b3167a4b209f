#!/usr/bin/env bash
# stripe-python: a metadata key called object decides the class of a customer's metadata.
# The classes are chosen by that key at any depth, also inside metadata, whose keys are free. The metadata become
# an invoice, a price whose text is a decimal, or a list that yields nothing although it has a plan.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" stripe==16.1.0

cat >demo.py <<'EOF'
import stripe

for metadata in [{"plan": "pro"}, {"plan": "pro", "object": "invoice"}, {"plan": "pro", "object": "list"}, {"unit_amount_decimal": "12.50"}, {"unit_amount_decimal": "12.50", "object": "price"}]:
    customer = stripe.Customer.construct_from({"id": "cus_1", "object": "customer", "metadata": metadata}, None)
    read = customer.metadata
    print(f"{metadata}: {type(read).__name__}, first value {read[next(iter(metadata))]!r}", end="")
    print(f", iterates over {list(read)}" if isinstance(read, stripe.ListObject) else "")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
{'plan': 'pro'}: StripeObject, first value 'pro'
{'plan': 'pro', 'object': 'invoice'}: StripeObject, first value 'pro'
{'plan': 'pro', 'object': 'list'}: StripeObject, first value 'pro'
{'unit_amount_decimal': '12.50'}: StripeObject, first value '12.50'
{'unit_amount_decimal': '12.50', 'object': 'price'}: StripeObject, first value '12.50'
EOF
)
recorded=$(cat <<'EOF'
{'plan': 'pro'}: StripeObject, first value 'pro'
{'plan': 'pro', 'object': 'invoice'}: Invoice, first value 'pro'
{'plan': 'pro', 'object': 'list'}: ListObject, first value 'pro', iterates over []
{'unit_amount_decimal': '12.50'}: StripeObject, first value '12.50'
{'unit_amount_decimal': '12.50', 'object': 'price'}: Price, first value Decimal('12.50')
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "stripe 16.1.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
