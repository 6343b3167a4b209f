//! The portal's page, as a browser uses it.

use super::client::{ask, get, post, send};
use crate::{stripe::StandIn, support::stand_in::TestStandIn};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// Status and text of an answer for a browser.
async fn browse(stand_in: &StandIn, method: &str, path: &str, origin: Option<&str>, body: &str) -> (u16, String) {
    let mut request = axum::http::Request::builder().method(method).uri(format!("{}{path}", stand_in.base_url()));
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    (parts.status.as_u16(), String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

async fn open_session(stand_in: &StandIn, customer: &str) -> String {
    let asked = format!("customer={customer}&return_url=https%3A%2F%2Fconsole.example%2Fbilling%3Fa%3D1%26b%3D%22");
    let session = post(stand_in, "v1/billing_portal/sessions", &asked).await;
    format!("p/session/{}", session["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_open_invoice_is_paid_on_the_page() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("lumen");
    let invoice = post(&stand_in, "v1/invoices", &format!("customer={customer}")).await["id"].as_str().unwrap().to_owned();
    post(&stand_in, &format!("v1/invoices/{invoice}/add_lines"), "lines[0][amount]=10000&lines[0][description]=Growth").await;
    post(&stand_in, &format!("v1/invoices/{invoice}/finalize"), "").await;
    let page = open_session(&stand_in, &customer).await;

    let (status, html) = browse(&stand_in, "GET", &page, None, "").await;
    assert_eq!(status, 200);
    assert!(html.contains("$100.00") && html.contains(&customer), "{html}");
    assert!(html.contains("<a href=\"https://console.example/billing?a=1&amp;b=&quot;\">Return</a>"), "{html}");

    let own = stand_in.base_url().trim_end_matches('/').to_owned();
    let form = format!("invoice={invoice}");
    let pay = format!("{page}/pay");
    for elsewhere in ["https://console.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(browse(&stand_in, "POST", &pay, Some(elsewhere), &form).await.0, 403, "{elsewhere}");
    }
    assert_eq!(get(&stand_in, &format!("v1/invoices/{invoice}")).await["status"], "open");
    assert_eq!(browse(&stand_in, "POST", &pay, Some(&own), &form).await.0, 303);
    assert_eq!(get(&stand_in, &format!("v1/invoices/{invoice}")).await["status"], "paid");
    assert!(!browse(&stand_in, "GET", &page, None, "").await.1.contains("<button>"));
}

#[tokio::test]
async fn a_session_pays_invoices_of_its_customer_only() {
    let stand_in = StandIn::start().await;
    let (lumen, other) = (stand_in.seed_customer("lumen"), stand_in.seed_customer("other"));
    let invoice = post(&stand_in, "v1/invoices", &format!("customer={other}")).await["id"].as_str().unwrap().to_owned();
    let page = open_session(&stand_in, &lumen).await;
    assert_eq!(browse(&stand_in, "POST", &format!("{page}/pay"), None, &format!("invoice={invoice}")).await.0, 404);
    assert_eq!(browse(&stand_in, "GET", "p/session/bps_none", None, "").await.0, 404);
    assert_eq!(ask(&stand_in, "GET", &format!("v1/invoices/{invoice}"), "").await.done()["status"], "draft");
}

#[tokio::test]
async fn a_page_of_another_site_changes_no_control() {
    let stand_in = StandIn::start().await;
    let aim = r#"{"url":"http://127.0.0.1:1/","secret":"whsec_1"}"#;
    let asked = send(&stand_in, "POST", "_webhooks", aim, &[("origin", "https://elsewhere.example")]).await;
    assert!(asked.is_err_and(|error| error.contains("expected value")), "a text says no");
    assert!(stand_in.shared.deliveries.endpoint.lock().unwrap().is_none());
}
