DROP TABLE events;
DROP TABLE billing_audit;
DROP FUNCTION billing_audit_is_append_only;
