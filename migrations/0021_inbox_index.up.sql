-- Nothing looks events up by their invoice (its timeline goes by the objects' ids), and every new one paid for the index.
DROP INDEX stripe_webhook_events_invoice;
