#!/usr/bin/env bash
# bankstatementparser: a pending entry counts as money on the account and cannot be told from a booked one.
# Status PDNG announces a payment. The table has no column for the status, and the net amount of the
# statement includes the entry, so it differs from closing minus opening balance.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" bankstatementparser==0.0.29 camt053==0.0.23 pandas==2.3.3 lxml==6.1.3

cat >statement.xml <<'EOF'
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-12-31T20:00:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-12-31T20:00:00</CreDtTm>
      <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
      <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-12-31</Dt></Dt></Bal>
      <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-12-31</Dt></Dt></Bal>
      <Ntry>
        <Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-31</Dt></BookgDt><ValDt><Dt>2026-12-31</Dt></ValDt>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls><TxDtls>
          <Refs><EndToEndId>A-2026-0001</EndToEndId></Refs><Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
          <RltdPties><Dbtr><Pty><Nm>Example Buyer GmbH</Nm></Pty></Dbtr></RltdPties>
        </TxDtls></NtryDtls>
      </Ntry>
      <Ntry>
        <Amt Ccy="EUR">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><BookgDt><Dt>2026-12-31</Dt></BookgDt>
        <BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>
      </Ntry>
    </Stmt>
  </BkToCstmrStmt>
</Document>
EOF

cat >demo.py <<'EOF'
import pathlib
import bankstatementparser
import camt053

text = pathlib.Path("statement.xml").read_text()
parser = bankstatementparser.CamtParser.from_string(text)
opening, closing = parser.get_account_balances()["Amount"]
print("closing minus opening balance:", float(closing) - float(opening))
print("bankstatementparser, net amount:", float(parser.get_statement_stats()["NetAmount"][0]))
print("bankstatementparser, columns with a status:", [column for column in parser.parse().columns if "st" in column.lower()])
print("camt053, statuses:", [entry.status for entry in camt053.parse_document(text).statements[0].entries])
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py 2>/dev/null)

expected=$(cat <<'EOF'
closing minus opening balance: 119.0
bankstatementparser, net amount: 119.0
bankstatementparser, columns with a status: ['Status']
camt053, statuses: ['BOOK', 'PDNG']
EOF
)
recorded=$(cat <<'EOF'
closing minus opening balance: 119.0
bankstatementparser, net amount: 126.0
bankstatementparser, columns with a status: []
camt053, statuses: ['BOOK', 'PDNG']
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "bankstatementparser 0.0.29, camt053 0.0.23, pandas 2.3.3, lxml 6.1.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
