ALTER TABLE api_keys DROP COLUMN last_used_at;
DROP TABLE billing_contacts;
DROP TABLE usage_alert_checks;
-- The manual rollback drops this one first.
DROP TABLE IF EXISTS usage_alerts;
DROP TABLE usage_alert_settings;
