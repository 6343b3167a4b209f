#!/usr/bin/env bash
# jsonschema and fastjsonschema: whether 0.29 is a multiple of 0.01 depends on how the JSON was read.
# jsonschema is right only if schema and amount are read as Decimal, fastjsonschema only if both are floats. The
# other ways end in a wrong answer or, for valid JSON, in an error that is not a validation error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" jsonschema==4.26.0 fastjsonschema==2.22.3 attrs==26.1.0 referencing==0.37.0 rpds-py==2026.9.1

cat >demo.py <<'EOF'
import itertools
import json
from decimal import Decimal
import fastjsonschema
import jsonschema

SCHEMA = '{"type": "number", "multipleOf": 0.01}'


def slow(schema, amount):
    return jsonschema.Draft7Validator(schema).is_valid(amount)


def fast(schema, amount):
    try:
        fastjsonschema.compile(schema)(amount)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


for schema_type, amount_type in itertools.product([float, Decimal], repeat=2):
    answers = []
    for validate in [slow, fast]:
        try:
            answers.append(str(validate(json.loads(SCHEMA, parse_float=schema_type), json.loads("0.29", parse_float=amount_type))))
        except (TypeError, ArithmeticError) as error:
            answers.append(type(error).__name__)
    print(f"schema {schema_type.__name__}, amount {amount_type.__name__}: jsonschema {answers[0]}, fastjsonschema {answers[1]}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
schema float, amount float: jsonschema True, fastjsonschema True
schema float, amount Decimal: jsonschema True, fastjsonschema True
schema Decimal, amount float: jsonschema True, fastjsonschema True
schema Decimal, amount Decimal: jsonschema True, fastjsonschema True
EOF
)
recorded=$(cat <<'EOF'
schema float, amount float: jsonschema False, fastjsonschema True
schema float, amount Decimal: jsonschema TypeError, fastjsonschema InvalidOperation
schema Decimal, amount float: jsonschema TypeError, fastjsonschema False
schema Decimal, amount Decimal: jsonschema True, fastjsonschema TypeError
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "jsonschema 4.26.0, fastjsonschema 2.22.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
