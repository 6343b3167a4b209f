#!/usr/bin/env bash
# einvoicing: post codes, buyer references and payment references lose leading zeros.
# The UBL reader lets its XML parser turn texts into numbers; ids of invoices and parties are protected,
# these three are not. Post from Dresden (01067) and payments with reference 000123 get lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  einvoicing@0.0.3 >/dev/null

cat >invoice.xml <<'EOF'
<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
  <cbc:ID>007</cbc:ID>
  <cbc:IssueDate>2026-11-30</cbc:IssueDate>
  <cbc:DueDate>2026-12-31</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:Note>#AAI#Thank you</cbc:Note>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cbc:BuyerReference>0010</cbc:BuyerReference>
  <cac:InvoicePeriod><cbc:StartDate>2026-11-01</cbc:StartDate><cbc:EndDate>2026-11-30</cbc:EndDate></cac:InvoicePeriod>
  <cac:OrderReference><cbc:ID>0815</cbc:ID></cac:OrderReference>
  <cac:AccountingSupplierParty><cac:Party>
    <cbc:EndpointID schemeID="9930">DE123456788</cbc:EndpointID>
    <cac:PostalAddress><cbc:StreetName>Example 1</cbc:StreetName><cbc:CityName>Dresden</cbc:CityName><cbc:PostalZone>01067</cbc:PostalZone><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
    <cac:PartyTaxScheme><cbc:CompanyID>DE123456788</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
    <cac:PartyLegalEntity><cbc:RegistrationName>Seller GmbH</cbc:RegistrationName><cbc:CompanyID schemeID="0088">0012345000058</cbc:CompanyID></cac:PartyLegalEntity>
  </cac:Party></cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party>
    <cbc:EndpointID schemeID="0088">0012345000065</cbc:EndpointID>
    <cac:PostalAddress><cbc:StreetName>Example 2</cbc:StreetName><cbc:CityName>Leipzig</cbc:CityName><cbc:PostalZone>04103</cbc:PostalZone><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
    <cac:PartyLegalEntity><cbc:RegistrationName>Buyer GmbH</cbc:RegistrationName></cac:PartyLegalEntity>
  </cac:Party></cac:AccountingCustomerParty>
  <cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cbc:PaymentID>000123</cbc:PaymentID><cac:PayeeFinancialAccount><cbc:ID>DE89370400440532013000</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
  <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">380.00</cbc:TaxAmount>
    <cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">2000.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">380.00</cbc:TaxAmount><cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19.00</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">2000.00</cbc:LineExtensionAmount><cbc:TaxExclusiveAmount currencyID="EUR">2000.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">2380.00</cbc:TaxInclusiveAmount><cbc:PayableAmount currencyID="EUR">2380.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
  <cac:InvoiceLine><cbc:ID>01</cbc:ID><cbc:InvoicedQuantity unitCode="C62">2500000</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="EUR">2000.00</cbc:LineExtensionAmount>
    <cac:Item><cbc:Name>API calls</cbc:Name><cac:SellersItemIdentification><cbc:ID>0042</cbc:ID></cac:SellersItemIdentification><cac:CommodityClassification><cbc:ItemClassificationCode listID="STI">0815</cbc:ItemClassificationCode></cac:CommodityClassification><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
    <cac:Price><cbc:PriceAmount currencyID="EUR">0.80</cbc:PriceAmount><cbc:BaseQuantity unitCode="C62">1000</cbc:BaseQuantity></cac:Price>
  </cac:InvoiceLine>
</Invoice>
EOF
cat >demo.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const { UblReader } = createRequire(import.meta.url)('einvoicing');
const invoice = (await new UblReader().read(readFileSync('invoice.xml', 'utf8'))).toPrimitive();
const plain = JSON.parse(JSON.stringify(invoice));
console.log('order reference:', plain.purchaseOrderReference.props?.id ?? plain.purchaseOrderReference);
console.log('buyer reference:', plain.buyerReference);
console.log('post code:', plain.seller.props.address.props.postalZone);
console.log('payment reference:', plain.payment.props.id);
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
order reference: 0815
buyer reference: 0010
post code: 01067
payment reference: 000123
EOF
)
recorded=$(cat <<'EOF'
order reference: 0815
buyer reference: 10
post code: 1067
payment reference: 123
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "einvoicing 0.0.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
