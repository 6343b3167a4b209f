#!/usr/bin/env bash
# OpenAPI 3.1: of three parsers, one refuses shared schemas and another refuses two kinds of schemas.
# A document needs paths, components or webhooks, so shared schemas alone are valid; a schema may be true (JSON
# Schema 2020-12); and a tuple with prefixItems needs no items. Each is refused by one parser and read by two.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  @apidevtools/swagger-parser@13.0.0 @readme/openapi-parser@9.0.0 @scalar/openapi-parser@0.24.17 >/dev/null

cat >demo.mjs <<'EOF'
import SwaggerParser from '@apidevtools/swagger-parser';
import { validate as readme } from '@readme/openapi-parser';
import { validate as scalar } from '@scalar/openapi-parser';
const info = { title: 'Billing', version: '1' };
const body = (schema) => ({ openapi: '3.1.0', info, paths: { '/totals': { get: { responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } } } } } });
const documents = {
  'only components': { openapi: '3.1.0', info, components: { schemas: { Total: { type: 'integer' } } } },
  'schema true': body(true),
  'prefixItems without items': body({ type: 'array', prefixItems: [{ type: 'string' }] }),
};
const parsers = {
  'swagger-parser': async (document) => { await SwaggerParser.validate(document); return true; },
  readme: async (document) => (await readme(document)).valid,
  scalar: async (document) => (await scalar(document)).valid,
};
for (const [name, document] of Object.entries(documents)) {
  for (const [parser, validate] of Object.entries(parsers)) {
    const valid = await validate(structuredClone(document)).catch(() => false);
    console.log(`${name}, ${parser}: ${valid ? 'valid' : 'refused'}`);
  }
}
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
only components, swagger-parser: valid
only components, readme: valid
only components, scalar: valid
schema true, swagger-parser: valid
schema true, readme: valid
schema true, scalar: valid
prefixItems without items, swagger-parser: valid
prefixItems without items, readme: valid
prefixItems without items, scalar: valid
EOF
)
recorded=$(cat <<'EOF'
only components, swagger-parser: refused
only components, readme: valid
only components, scalar: valid
schema true, swagger-parser: valid
schema true, readme: refused
schema true, scalar: valid
prefixItems without items, swagger-parser: valid
prefixItems without items, readme: refused
prefixItems without items, scalar: valid
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "@apidevtools/swagger-parser 13.0.0, @readme/openapi-parser 9.0.0, @scalar/openapi-parser 0.24.17" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
