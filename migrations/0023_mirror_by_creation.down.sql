DROP INDEX credit_notes_created;
DROP INDEX refunds_created;
DROP INDEX charges_created;
DROP INDEX invoices_created;
DROP INDEX subscriptions_created;
