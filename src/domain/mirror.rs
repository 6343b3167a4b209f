//! Which of two snapshots of a Stripe object is the newer one.
