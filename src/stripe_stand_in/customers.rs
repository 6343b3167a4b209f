//! Customers and what they see of Stripe themselves: the portal.

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

    /// Cancels its subscriptions with it, as Stripe does.
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

    pub fn create_portal_session(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["customer", "return_url", "configuration", "locale", "flow_data", "on_behalf_of"])?;
        let customer = params.need("customer")?;
        self.named("customer", customer, "customer")?;
        let id = self.id("bps_");
        let url = format!("{}/p/session/{id}", self.base_url);
        let mut session = built("billing_portal.session", json!({"id": id, "created": self.now, "customer": customer, "url": url}));
        set(&mut session, json!({"return_url": params.text("return_url"), "locale": params.text("locale")}));
        self.put("billing_portal.session", session.clone());
        Ok(session)
    }

    /// The page that a portal session leads to: its way back is all that a test needs of it.
    pub fn portal_page(&self, id: &str) -> Option<String> {
        let session = self.get("billing_portal.session", id)?;
        let back = session["return_url"].as_str().unwrap_or("/");
        let [customer, back] = [session["customer"].as_str().unwrap_or_default(), back].map(escaped);
        Some(format!(
            "<!doctype html><html lang=\"en\"><title>Customer portal</title><h1>Customer portal</h1><p>{customer}</p><p><a href=\"{back}\">Return</a></p></html>"
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
