//! The seller on the invoice.

/// The company at the top of every invoice. `None` and empty fields are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seller {
    pub name: String,
    /// Formatted address lines, country last.
    pub address: Vec<String>,
    pub tax_id: Option<String>,
    pub email: Option<String>,
    /// Without a scheme.
    pub website: Option<String>,
}

impl Seller {
    /// ApexMediation, with contact details on a domain reserved for documentation (RFC 2606).
    pub fn apex_mediation() -> Seller {
        Seller {
            name: "ApexMediation".to_owned(),
            address: Vec::new(),
            tax_id: None,
            email: Some("billing@apexmediation.example".to_owned()),
            website: Some("apexmediation.example".to_owned()),
        }
    }
}

impl Default for Seller {
    fn default() -> Self {
        Seller::apex_mediation()
    }
}
