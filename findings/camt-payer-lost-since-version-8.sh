#!/usr/bin/env bash
# bankstatementparser: the payer's name is empty in the camt.053 version that banks send today.
# Since 001.08 the name stands one level deeper (Dbtr/Pty/Nm). The parser accepts such files and looks at
# the place of 001.02 only, so no payment can be matched by name; camt053 reads both.
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

sed -e 's/camt.053.001.08/camt.053.001.02/; s/<Pty>//; s/<\/Pty>//; s/<Sts><Cd>\(.*\)<\/Cd><\/Sts>/<Sts>\1<\/Sts>/' statement.xml >old.xml
cat >demo.py <<'EOF'
import pathlib
import bankstatementparser
import camt053

for name in ["old.xml", "statement.xml"]:
    text = pathlib.Path(name).read_text()
    version = text.split("xsd:")[1][:15]
    frame = bankstatementparser.CamtParser.from_string(text).parse()
    entry = camt053.parse_document(text).statements[0].entries[0]
    print(f"{version}: bankstatementparser {frame['Debtor'][0] or 'empty'}, camt053 {entry.details[0].counterparty_name}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py 2>/dev/null)

expected=$(cat <<'EOF'
camt.053.001.02: bankstatementparser Example Buyer GmbH, camt053 Example Buyer GmbH
camt.053.001.08: bankstatementparser Example Buyer GmbH, camt053 Example Buyer GmbH
EOF
)
recorded=$(cat <<'EOF'
camt.053.001.02: bankstatementparser Example Buyer GmbH, camt053 Example Buyer GmbH
camt.053.001.08: bankstatementparser empty, camt053 Example Buyer GmbH
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "bankstatementparser 0.0.29, camt053 0.0.23, pandas 2.3.3, lxml 6.1.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
