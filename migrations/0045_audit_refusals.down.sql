DROP TABLE audit_refusals;
