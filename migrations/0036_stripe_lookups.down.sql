DROP INDEX invoices_lookups;
ALTER TABLE invoices DROP COLUMN lookups;
DROP TABLE stripe_lookups;
DROP TABLE prices;
