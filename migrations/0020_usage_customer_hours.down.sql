DROP TRIGGER usage_customer_hours_add ON usage_records;
DROP TRIGGER usage_customer_hours_change ON usage_records;
DROP TRIGGER usage_customer_hours_take ON usage_records;
DROP FUNCTION usage_customer_hours_add;
DROP FUNCTION usage_customer_hours_change;
DROP FUNCTION usage_customer_hours_take;
DROP TABLE usage_customer_hours;
