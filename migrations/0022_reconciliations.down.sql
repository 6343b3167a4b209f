DROP TABLE reconciliation_seen;
DROP TABLE reconciliation_discrepancies;
DROP TABLE reconciliations;
