//! The columns of each type of object, for all queries. Macros, because a checked query is one
//! literal; names that they use must be in scope at the call.

macro_rules! invoices {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_invoice_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_subscription_id, object.currency,
                      status, subtotal, discount, tax, total, amount_due, amount_paid, amount_remaining, amount_overpaid, starting_balance,
                      ending_balance, credit_notes_pre_payment, credit_notes_post_payment, lines_complete,
                      CASE WHEN taxes IS NOT NULL THEN coalesce((
                          SELECT sum((entry ->> 'amount')::bigint) FROM jsonb_array_elements(taxes) AS entry WHERE entry ->> 'behavior' = 'inclusive'
                      ), 0)::bigint END AS tax_inclusive,
                      CASE WHEN pretax_credits IS NOT NULL THEN coalesce((
                          SELECT sum((entry ->> 'amount')::bigint) FROM jsonb_array_elements(pretax_credits) AS entry
                      ), 0)::bigint END AS pretax_credits_sum,
                      CASE WHEN taxes IS NOT NULL THEN coalesce((shipping ->> 'total')::bigint, 0) END AS shipping_total,
                      lines.count AS "line_count!", lines.sum AS "line_sum!", lines.quantity AS "line_quantity!"
               FROM invoices object JOIN customers customer ON customer.id = object.customer_id
                    CROSS JOIN LATERAL (SELECT count(*), coalesce(sum(amount), 0)::bigint AS sum,
                                               trim_scale(coalesce(sum(coalesce(quantity_decimal, quantity)), 0))::text AS quantity
                                        FROM invoice_line_items WHERE invoice_id = object.id) AS lines
               WHERE NOT object.deleted AND "# + $where,
            $($argument),*
        )
        .map(|row| {
            let lines = LineTotals { count: row.line_count, sum: row.line_sum, quantity: Some(row.line_quantity) };
            let lines = Some(lines).filter(|_| row.lines_complete);
            Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.id),
            subscription: row.stripe_subscription_id,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            facts: invoice_facts(lines.as_ref()),
            figures: invoice_figures(
                &InvoiceAmounts {
                    subtotal: row.subtotal,
                    discount: row.discount,
                    tax: row.tax,
                    total: row.total,
                    due: row.amount_due,
                    paid: row.amount_paid,
                    remaining: row.amount_remaining,
                    overpaid: row.amount_overpaid,
                    starting_balance: row.starting_balance,
                    ending_balance: row.ending_balance,
                    credit_notes_pre_payment: row.credit_notes_pre_payment,
                    credit_notes_post_payment: row.credit_notes_post_payment,
                },
                &Parts { tax_inclusive: row.tax_inclusive, pretax_credits: row.pretax_credits_sum, shipping: row.shipping_total },
                lines.as_ref(),
            ),
            ..Record::default()
        }
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! subscriptions {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_subscription_id AS id, object.created_at, customer.stripe_customer_id AS customer, object.currency, status,
                      current_period_start, current_period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at,
                      (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                  'id', stripe_item_id, 'plan_type', item.plan_type, 'lookup_key', lookup_key, 'usage_type', usage_type,
                                  'price_interval', price_interval, 'price_interval_count', price_interval_count,
                                  'period_start', period_start, 'period_end', period_end) ORDER BY stripe_item_id COLLATE "C"), '[]')
                       FROM subscription_items item WHERE item.subscription_id = object.id) AS "item_rows!: Json<Vec<ItemRow>>",
                      (SELECT coalesce(string_agg(stripe_item_id || ': ' || coalesce(price_id, '–') || ' × ' || coalesce(quantity::text, '–'), ', '
                                                  ORDER BY stripe_item_id COLLATE "C"), '–')
                       FROM subscription_items WHERE subscription_id = object.id) AS "items!"
               FROM subscriptions object JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            subscription: Some(row.id),
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            facts: vec![
                ("items", row.items),
                ("current_period_start", written(row.current_period_start)),
                ("current_period_end", written(row.current_period_end)),
                ("metered_period", metered_period(row.item_rows.0, row.current_period_start, row.current_period_end)),
                ("cancel_at_period_end", row.cancel_at_period_end.to_string()),
                ("cancel_at", written(row.cancel_at)),
                ("canceled_at", written(row.canceled_at)),
                ("ended_at", written(row.ended_at)),
            ],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! charges {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_charge_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_invoice_id, payment_intent,
                      object.currency, object.amount, object.status,
                      greatest(object.amount_refunded - void.amount_refunded, 0) AS "amount_refunded!"
               FROM charges object JOIN customers customer ON customer.id = object.customer_id
                    -- Refunds that failed after the charge counted them: Stripe then counts them no more, often without an event of the charge.
                    -- A charge that was fetched is newer than an event of its second.
                    CROSS JOIN LATERAL (SELECT coalesce(sum(refund.amount), 0)::bigint AS amount_refunded FROM refunds refund
                                        WHERE refund.stripe_charge_id = object.stripe_charge_id AND refund.status IN ('failed', 'canceled')
                                          AND (refund.event_created_at > object.event_created_at
                                               OR (refund.event_created_at = object.event_created_at AND NOT starts_with(object.event_id, 'fetched_')))
                                       ) AS void
               WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: row.stripe_invoice_id,
            payment_intent: row.payment_intent,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount), Figure::money("amount_refunded", row.amount_refunded)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! refunds {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_refund_id AS "id!", object.created_at AS "created_at!", customer.stripe_customer_id AS "customer?",
                      stripe_charge_id, payment_intent, object.currency AS "currency!", amount AS "amount!", status AS "status!"
               FROM refunds object LEFT JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            charge: row.stripe_charge_id,
            payment_intent: row.payment_intent,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! credit_notes {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_credit_note_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_invoice_id,
                      object.currency, amount, subtotal, tax, status, discount, pre_payment_amount, post_payment_amount
               FROM credit_notes object JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.stripe_invoice_id),
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![
                Figure::money("amount", row.amount),
                Figure::money("subtotal", row.subtotal),
                Figure::money("tax", row.tax),
                Figure::unsure("discount", row.discount, Unit::Money),
                Figure::unsure("pre_payment_amount", row.pre_payment_amount, Unit::Money),
                Figure::unsure("post_payment_amount", row.post_payment_amount, Unit::Money),
            ],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! customers {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_customer_id AS "id!", object.created_at, balance, event_created_at IS NOT NULL AS "mirrored!"
               FROM customers object WHERE object.stripe_customer_id IS NOT NULL AND NOT deleted AND "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: Some(row.id),
            // Until the first Stripe event about the customer, its balance is unknown here.
            figures: vec![Figure::unsure("balance", Some(row.balance).filter(|_| row.mirrored), Unit::Money)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! payments {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_payment_id AS "id!", object.at AS "at!", customer.stripe_customer_id AS "customer?",
                      object.stripe_invoice_id AS "stripe_invoice_id!", invoice.currency AS "currency?", amount AS "amount!",
                      object.status AS "status!"
               FROM invoice_payments object LEFT JOIN customers customer ON customer.id = object.customer_id
                    LEFT JOIN invoices invoice ON invoice.stripe_invoice_id = object.stripe_invoice_id
               WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.stripe_invoice_id),
            currency: row.currency.and_then(|code| code.parse().ok()),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

pub(super) use {charges, credit_notes, customers, invoices, payments, refunds, subscriptions};
