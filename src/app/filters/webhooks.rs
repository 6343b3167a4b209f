use super::{Field, Filter, Listed};
use crate::{
    app::local_path::{WEBHOOKS, percent_encode},
    domain::list::WebhookFilter,
};

impl Listed for WebhookFilter {
    const PATH: &'static str = WEBHOOKS;
}

impl Filter for WebhookFilter {
    fn fields(&self) -> Vec<Field> {
        vec![Field::of("status", &self.status), Field::of("type", &self.event_type), Field::of("q", &self.q)]
    }
}

/// URL of an event's page.
pub fn webhook_href(id: &str) -> String {
    format!("{WEBHOOKS}/{}", percent_encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_encoded() {
        assert_eq!(webhook_href("sha256:ab"), "/admin/webhooks/sha256%3Aab");
    }
}
