-- The language that a user chose for the console and for mails. Null: the customer's preferred
-- locale at Stripe decides, then the browser.
ALTER TABLE users ADD COLUMN language text CONSTRAINT users_language_known CHECK (language IN ('en', 'de', 'fr'));
