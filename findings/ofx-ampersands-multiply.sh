#!/usr/bin/env bash
# OFX: one "&" in a payer's name comes out as three different names from four readers.
# OFX escapes it as "&amp;". node-ofx-parser escapes it twice more, ofx-data-extractor leaves the escape in,
# ofx-js and Python's ofxparse return the name, so names match in some systems only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  node-ofx-parser@0.5.1 ofx-data-extractor@1.5.0 ofx-js@1.1.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" ofxparse==0.21

cat >statement.ofx <<'EOF'
OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0
<SEVERITY>INFO
</STATUS><DTSERVER>20270101
<LANGUAGE>ENG
</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1
<STATUS><CODE>0
<SEVERITY>INFO
</STATUS>
<STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>0001
<ACCTID>0012345
<ACCTTYPE>CHECKING
</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261201
<DTEND>20261231
<STMTTRN>
<TRNTYPE>CREDIT
<DTPOSTED>20261231
<TRNAMT>119.00
<FITID>0001
<NAME>Smith &amp; Sons
</STMTTRN>
</BANKTRANLIST>
<LEDGERBAL><BALAMT>119.00
<DTASOF>20261231
</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
EOF
cat >demo.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const text = readFileSync('statement.ofx', 'utf8');
const name = (parsed) => JSON.stringify(parsed).match(/"NAME":"([^"]*)"/)[1];
console.log('node-ofx-parser:', name(await require('node-ofx-parser').parse(text)));
console.log('ofx-data-extractor:', name(new (require('ofx-data-extractor').Ofx)(text).getBankTransferList()));
console.log('ofx-js:', name(await require('ofx-js').parse(text)));
EOF
cat >demo.py <<'EOF'
from ofxparse import OfxParser

with open("statement.ofx", "rb") as file:
    print("ofxparse:", OfxParser.parse(file).account.statement.transactions[0].payee)
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
node-ofx-parser: Smith & Sons
ofx-data-extractor: Smith & Sons
ofx-js: Smith & Sons
ofxparse: Smith & Sons
EOF
)
recorded=$(cat <<'EOF'
node-ofx-parser: Smith &amp;amp;amp; Sons
ofx-data-extractor: Smith &amp; Sons
ofx-js: Smith & Sons
ofxparse: Smith & Sons
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "node-ofx-parser 0.5.1, ofx-data-extractor 1.5.0, ofx-js 1.1.1, ofxparse 0.21" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
