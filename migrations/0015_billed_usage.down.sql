DROP INDEX invoices_finalized;
DROP TABLE billed_usage;
