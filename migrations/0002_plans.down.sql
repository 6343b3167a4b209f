DROP TABLE plan_prices;
DROP TABLE plans;
