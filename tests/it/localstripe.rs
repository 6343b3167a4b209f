//! localstripe, an independent Stripe stand-in with its own ids, pages and order: its lists are
//! imported and compared completely.
//!
//! `localstripe` lacks newer object types. A proxy in front of it removes unknown filters and
//! serves the missing lists; it changes no object.

use crate::{
    reconcile::{AT_ONCE, by},
    support::{TestApp, stand_in::SECRET_KEY},
};
use apex_billing::{
    domain::{
        money::Currency,
        reconcile::{Object, ReconciliationStatus, ReconciliationSummary},
    },
    service::{
        backfill, customers,
        reconcile::{self, Asked, Begun, Listener},
    },
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

/// scripts/lib.sh uses the same folder.
const FOLDER: &str = "localstripe-1.15.10";
/// More than a page.
const MANY: usize = 103;

struct LocalStripe {
    process: Child,
    address: SocketAddr,
}

impl LocalStripe {
    async fn start() -> LocalStripe {
        let home = std::env::var("HOME").expect("HOME");
        let packages = PathBuf::from(home).join(".cache/apex-billing").join(FOLDER);
        assert!(packages.join("localstripe").is_dir(), "{} is missing: run scripts/fetch-localstripe.sh", packages.display());
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("python3")
            .args(["-m", "localstripe", "--from-scratch", "--port", &address.port().to_string()])
            .env("PYTHONPATH", packages)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        let started = LocalStripe { process, address };
        let answers = async { while started.ask(Method::GET, "/v1/customers", "").await.is_none() {} };
        tokio::time::timeout(std::time::Duration::from_secs(60), answers).await.expect("localstripe answers");
        started
    }

    /// None without a response, or if it refuses.
    async fn ask(&self, method: Method, path: &str, form: &str) -> Option<(StatusCode, Bytes)> {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header(header::AUTHORIZATION, format!("Bearer {SECRET_KEY}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.to_owned())))
            .unwrap();
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.ok()?;
        let status = response.status();
        Some((status, response.into_body().collect().await.ok()?.to_bytes()))
    }

    async fn done(&self, method: Method, path: &str, form: &str) -> Value {
        let (status, body) = self.ask(method, path, form).await.expect("an answer");
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    async fn post(&self, path: &str, form: &str) -> String {
        self.done(Method::POST, path, form).await["id"].as_str().expect("an id").to_owned()
    }
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn proxied(State(behind): State<Arc<LocalStripe>>, request: Request) -> Response {
    let path = request.uri().path();
    if ["/v1/credit_notes", "/v1/invoice_payments"].contains(&path) {
        let nothing = json!({"object": "list", "data": [], "has_more": false, "url": path});
        return axum::Json(nothing).into_response();
    }
    let known = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("created") && !pair.is_empty());
    let target = format!("{path}?{}", known.collect::<Vec<_>>().join("&"));
    match behind.ask(request.method().clone(), &target, "").await {
        Some((status, body)) => (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response(),
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn compared(app: &TestApp) -> (ReconciliationSummary, Vec<(Object, String)>) {
    let begun = reconcile::begin(&app.platform, &by(), &Asked::default(), None, false).await.unwrap();
    let Begun::Ours(work) = begun else { panic!("it is over") };
    let silent: Listener = Arc::new(|_| ());
    let run = work.carry_out(&silent, &CancellationToken::new()).await.unwrap();
    let found = reconcile::first_found(&app.platform, &run.id.to_string()).await.unwrap();
    let found = found.into_iter().map(|found| (found.discrepancy.object, found.discrepancy.object_id)).collect();
    (run, found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_servers_lists_are_imported_and_compared() {
    let stripe = Arc::new(LocalStripe::start().await);
    stripe.post("/v1/plans", "id=growth&amount=49900&currency=usd&interval=month&product[name]=Growth").await;
    let mut customers = Vec::new();
    for n in 0..MANY {
        customers.push(stripe.post("/v1/customers", &format!("name=Customer+{n}&email=billing@{n}.example")).await);
    }
    let payer = &customers[0];
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2060&card[cvc]=123";
    let card = stripe.post("/v1/payment_methods", card).await;
    stripe.post(&format!("/v1/payment_methods/{card}/attach"), &format!("customer={payer}")).await;
    stripe.post(&format!("/v1/customers/{payer}"), &format!("invoice_settings[default_payment_method]={card}")).await;
    let mut subscriptions = Vec::new();
    for _ in 0..MANY {
        subscriptions.push(stripe.post("/v1/subscriptions", &format!("customer={payer}&items[0][plan]=growth")).await);
    }

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(proxied).with_state(stripe.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let app = TestApp::start_with_all(&[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &base)], &AT_ONCE).await;
    // Its clock can't be set, so ours follows it.
    app.advance(OffsetDateTime::now_utc() - app.now() + Duration::seconds(5));
    for (n, id) in customers.iter().enumerate() {
        customers::put(&app.platform, id, &format!("Customer {n}"), &format!("billing@{n}.example"), Currency::USD).await.unwrap();
    }
    backfill::full(&app.platform, &|_| ()).await.unwrap().unwrap();
    backfill::events(&app.platform, &|_| ()).await.unwrap().unwrap();

    let (run, found) = compared(&app).await;
    assert_eq!(found, []);
    assert_eq!((run.status, run.within_tolerance, run.error.as_deref()), (ReconciliationStatus::Completed, Some(true), None));
    let many = i64::try_from(MANY).unwrap();
    assert_eq!(run.checked.customers, many);
    // It lists the oldest first: objects out of order are looked up on the other side.
    assert!(run.checked.subscriptions >= many && run.checked.invoices >= many, "{:?}", run.checked);

    // An object of the last page ends.
    stripe.done(Method::DELETE, &format!("/v1/subscriptions/{}", subscriptions[MANY - 1]), "").await;
    let (run, found) = compared(&app).await;
    assert_eq!(run.within_tolerance, Some(false));
    assert!(found.contains(&(Object::Subscription, subscriptions[MANY - 1].clone())), "{found:?}");
    assert!(found.iter().all(|(object, id)| *object == Object::Event || *id == subscriptions[MANY - 1]), "{found:?}");
}
