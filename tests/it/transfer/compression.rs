//! Content codings of responses.

use crate::support::{TestApp, client::Answer};
use apex_billing::{config::Secret, demo, domain::role::Role};
use axum::http::Method;
use std::io::Read;

fn decoded(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.header("content-encoding") {
        Some("gzip") => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut bytes).unwrap(),
        Some("zstd") => zstd::stream::read::Decoder::new(&answer.body[..]).unwrap().read_to_end(&mut bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    bytes
}

/// Pages may vary by language too.
fn varies(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|names| names == "accept-encoding")
}

/// RFC 9110, section 12.5.3.
#[tokio::test]
async fn text_has_the_coding_that_the_client_prefers() {
    let client = TestApp::start().await.client();
    for path in ["/login", "/api/v1/docs", "/api/v1/openapi.json"] {
        let plain = client.get(path).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        assert!(varies(&plain), "{path}");
        for (accepted, coding) in [
            ("gzip", "gzip"),
            ("zstd", "zstd"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("zstd;q=0.5, gzip;q=0.8", "gzip"),
            ("zstd;q=0, gzip", "gzip"),
        ] {
            let answer = client.clone().with_header("accept-encoding", accepted).get(path).await;
            assert_eq!(answer.header("content-encoding"), Some(coding), "{path}: {accepted}");
            assert!(answer.header("content-length").is_none() && varies(&answer), "{path}: {accepted}");
            assert!(answer.body.len() < plain.body.len() / 2, "{path}: {} of {}", answer.body.len(), plain.body.len());
            assert!(decoded(&answer) == plain.body, "{path}: {accepted}");
        }
        for refused in ["identity", "gzip;q=0", "zstd;q=0, gzip;q=0.000", "br", ""] {
            let answer = client.clone().with_header("accept-encoding", refused).get(path).await;
            assert_eq!((answer.header("content-encoding"), answer.body.len()), (None, plain.body.len()), "{path}: {refused}");
        }
    }
}

#[tokio::test]
async fn head_describes_the_compressed_response() {
    let client = TestApp::start().await.client();
    let length = client.get("/login").await.body.len().to_string();
    let head = client.send(Method::HEAD, "/login", None, Vec::new()).await;
    assert!(head.header("content-length") == Some(&*length) && varies(&head), "{:?}", head.headers);
    let head = client.with_header("accept-encoding", "zstd").send(Method::HEAD, "/login", None, Vec::new()).await;
    assert_eq!((head.status, head.header("content-encoding"), head.header("content-length")), (200, Some("zstd"), None));
}

/// Against BREACH: such requests may carry an attacker's guess in the URL.
#[tokio::test]
async fn requests_of_other_sites_get_uncompressed_pages() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://billing.example.com")]).await;
    let client = app.client().with_header("accept-encoding", "gzip, zstd");
    let coding = async |headers: &[(&str, &str)]| {
        let client = headers.iter().fold(client.clone(), |client, (name, value)| client.with_header(name, value));
        client.get("/login?next=/billing/invoices").await.header("content-encoding").map(str::to_owned)
    };
    let zstd = Some("zstd".to_owned());
    assert_eq!(coding(&[("sec-fetch-site", "same-origin"), ("cookie", "theme=dark")]).await, zstd);
    assert_eq!(coding(&[("sec-fetch-site", "none")]).await, zstd);
    assert_eq!(coding(&[]).await, zstd);
    assert_eq!(coding(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).await, None);
    assert_eq!(coding(&[("sec-fetch-site", "same-site")]).await, None);
    assert_eq!(coding(&[("cookie", "theme=dark")]).await, None);
}

#[tokio::test]
async fn small_and_compressed_bodies_stay_as_they_are() {
    let app = TestApp::start().await;
    let access = demo::Access::made_up(Secret(crate::support::app::WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    let login = serde_json::json!({"email": "publisher@demo.test", "password": access.password.0});
    let person = app.client().with_cookies_of(&app.client().post_json("/api/v1/auth/login", &login).await);
    let browser = person.clone().with_header("accept-encoding", "gzip, zstd").with_header("sec-fetch-site", "same-origin");

    for path in ["/api/v1/meta/features", "/api/v1/billing/invoices/unknown", "/livez"] {
        let answer = browser.get(path).await;
        assert!(answer.body.len() < 1_024, "{path}");
        assert_eq!(answer.header("content-encoding"), None, "{path}");
    }

    let id = person.get("/api/v1/billing/invoices?status=paid").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/billing/invoices/{id}/pdf");
    let (plain, pdf) = (person.get(&path).await, browser.get(&path).await);
    assert_eq!((pdf.header("content-encoding"), pdf.header("vary")), (None, None));
    assert!(pdf.body.starts_with(b"%PDF-"));
    // The bytes are the same, so a strong tag stays.
    assert!(pdf.header("etag").unwrap().starts_with('"'));
    assert_eq!(pdf.header("etag"), plain.header("etag"));
    let again = browser.clone().with_header("if-none-match", pdf.header("etag").unwrap()).get(&path).await;
    assert_eq!((again.status, again.header("content-encoding"), again.body.len()), (304, None, 0));

    // Streamed, so its length is unknown.
    let file = browser.get("/api/v1/billing/invoices.csv").await;
    assert_eq!((file.status, file.header("content-encoding")), (200, Some("zstd")));
    assert!(decoded(&file) == person.get("/api/v1/billing/invoices.csv").await.body);
}

#[tokio::test]
async fn pages_of_a_session_are_compressed() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let browser = person.clone().with_header("accept-encoding", "gzip, deflate, br, zstd").with_header("sec-fetch-site", "same-origin");
    for path in ["/billing/usage", "/billing/invoices", "/billing/settings", "/account"] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.header("content-encoding")), (200, Some("zstd")), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(String::from_utf8(decoded(&page)).unwrap().contains("</html>"), "{path}");
    }
}
