DROP TABLE usage_meter_excess;
DROP TABLE usage_meter_events;
DROP TABLE usage_meters;
