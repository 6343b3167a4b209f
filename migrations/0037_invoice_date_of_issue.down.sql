DROP INDEX invoices_customer_issued;
DROP FUNCTION invoice_issued_at(text, timestamptz, timestamptz, timestamptz);
