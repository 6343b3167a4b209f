-- Reconciliation reads the mirror in the order in which Stripe lists its objects: newest first,
-- across all customers.
CREATE INDEX subscriptions_created ON subscriptions (created_at DESC, stripe_subscription_id DESC);
CREATE INDEX invoices_created ON invoices (created_at DESC, stripe_invoice_id DESC) WHERE NOT deleted;
CREATE INDEX charges_created ON charges (created_at DESC, stripe_charge_id DESC);
CREATE INDEX refunds_created ON refunds (created_at DESC, stripe_refund_id DESC);
CREATE INDEX credit_notes_created ON credit_notes (created_at DESC, stripe_credit_note_id DESC);
