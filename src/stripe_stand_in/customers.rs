//! Customers.

use super::{
    errors::Checked,
    form::Params,
    lists::{TimeRange, fits, newest_first},
    store::{Store, built, set, take_metadata},
};
use serde_json::{Value, json};

const WRITTEN: [&str; 14] = [
    "name",
    "email",
    "phone",
    "description",
    "address",
    "metadata",
    "preferred_locales",
    "tax_exempt",
    "balance",
    "invoice_settings",
    "shipping",
    "tax_id_data",
    "payment_method",
    "source",
];

impl Store {
    pub fn create_customer(&mut self, params: &Params) -> Checked<Value> {
        params.only(&WRITTEN)?;
        let id = self.id("cus_");
        let prefix = id[id.len() - 7..].to_owned();
        let mut customer = built("customer", json!({"id": id, "created": self.now, "invoice_prefix": prefix}));
        write(&mut customer, params)?;
        Ok(self.add("customer", customer, "customer.created"))
    }

    pub fn update_customer(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&WRITTEN)?;
        let mut changed = self.find("customer", id)?.clone();
        write(&mut changed, params)?;
        self.change("customer", id, &["customer.updated"], |customer| *customer = changed)
    }

    /// Also cancels its subscriptions, as Stripe does.
    pub fn delete_customer(&mut self, id: &str) -> Checked<Value> {
        self.find("customer", id)?;
        let running = |subscription: &&Value| subscription["customer"] == id && subscription["status"] != "canceled";
        let subscriptions: Vec<String> = self
            .all("subscription")
            .objects
            .values()
            .filter(running)
            .filter_map(|subscription| subscription["id"].as_str().map(str::to_owned))
            .collect();
        for subscription in subscriptions {
            self.cancel_subscription(&subscription)?;
        }
        if let Some(customer) = self.remove("customer", id) {
            self.emit("customer.deleted", &customer);
        }
        let gone = json!({"id": id, "object": "customer", "deleted": true});
        self.put("deleted_customer", gone.clone());
        Ok(gone)
    }

    pub fn list_customers(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["email", "created", "test_clock"])?;
        let created = TimeRange::read(params, "created")?;
        let email = params.text("email");
        newest_first(self.all("customer"), "customer", params, "/v1/customers", |customer| {
            created.holds(customer, "created") && fits(customer, "email", email)
        })
    }
}

fn write(customer: &mut Value, params: &Params) -> Checked<()> {
    for name in ["name", "email", "phone", "description"] {
        if params.sent(name) {
            customer[name] = json!(params.text(name));
        }
    }
    if let Some(address) = params.object("address") {
        set(&mut customer["address"], Value::Object(address.clone()));
    }
    if params.sent("preferred_locales") {
        customer["preferred_locales"] = json!(params.texts("preferred_locales"));
    }
    if let Some(exempt) = params.word("tax_exempt", &["none", "exempt", "reverse"])? {
        customer["tax_exempt"] = json!(exempt);
    }
    if let Some(balance) = params.integer("balance")? {
        customer["balance"] = json!(balance);
    }
    take_metadata(customer, params);
    Ok(())
}
