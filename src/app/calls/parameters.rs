//! The query parameter of requests about one customer, as documented in OpenAPI.

use utoipa::IntoParams;
use uuid::Uuid;

/// The customer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfCustomer {
    /// The customer. Only staff may name another customer, and must name one if they have none of
    /// their own.
    pub customer_id: Option<Uuid>,
}
