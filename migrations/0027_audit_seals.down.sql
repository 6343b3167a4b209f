DROP TABLE billing_audit_seals;
