//! Clients under load: some keep their connection, as pools do, others open one per request.

use axum::{
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{runtime::Runtime, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// The requests in turn: whether it is a usage event, and whether the connection is kept.
const CLIENTS: [(Ask, bool); 6] = [
    (Ask::Event, true),
    (Ask::Event, false),
    (Ask::Get("/login"), true),
    (Ask::Get("/api/v1/meta/features"), false),
    (Ask::Get("/livez"), true),
    (Ask::Get("/livez"), false),
];

#[derive(Clone, Copy)]
enum Ask {
    Get(&'static str),
    Event,
}

/// Requests without a pause, until dropped.
pub struct Load {
    clients: JoinSet<(Vec<String>, u64)>,
    answers: watch::Receiver<u64>,
    end: CancellationToken,
}

impl Load {
    pub fn start(runtime: &Runtime, address: &str, key: &str) -> Load {
        let (counter, answers) = watch::channel(0);
        let end = CancellationToken::new();
        let mut clients = JoinSet::new();
        for (number, (ask, kept)) in CLIENTS.into_iter().enumerate() {
            let asking = Asking { ask, kept, number, address: address.to_owned(), key: key.to_owned() };
            clients.spawn_on(asking.run(counter.clone(), end.clone()), runtime.handle());
        }
        Load { clients, answers, end }
    }

    pub async fn more_answers(&self, answers: u64) {
        let mut seen = self.answers.clone();
        let wanted = *seen.borrow() + answers;
        seen.wait_for(|seen| *seen >= wanted).await.expect("clients that ask");
    }

    /// Responses, failures with reasons, and the number of accepted usage events.
    pub async fn end(self) -> (u64, Vec<String>, u64) {
        self.end.cancel();
        let ended = self.clients.join_all().await;
        let accepted = ended.iter().map(|(_, accepted)| accepted).sum();
        (*self.answers.borrow(), ended.into_iter().flat_map(|(failures, _)| failures).collect(), accepted)
    }
}

struct Asking {
    ask: Ask,
    kept: bool,
    number: usize,
    address: String,
    key: String,
}

impl Asking {
    async fn run(self, answers: watch::Sender<u64>, end: CancellationToken) -> (Vec<String>, u64) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        let (mut failures, mut accepted) = (Vec::new(), 0);
        for turn in 0.. {
            if end.is_cancelled() {
                break;
            }
            match self.once(&client, turn).await {
                Ok(new) => {
                    accepted += new;
                    answers.send_modify(|answers| *answers += 1);
                }
                Err(failure) => failures.push(failure),
            }
        }
        (failures, accepted)
    }

    /// The number of accepted events.
    async fn once(&self, client: &Client<HttpConnector, Body>, turn: usize) -> Result<u64, String> {
        let request = match self.ask {
            Ask::Get(path) => Request::get(format!("http://{}{path}", self.address)).body(Body::empty()),
            Ask::Event => Request::post(format!("http://{}/api/v1/usage/events", self.address))
                .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
                .header(header::CONTENT_TYPE, "application/json")
                .body(event(&format!("{}-{turn}", self.number)).into()),
        };
        let mut request = request.expect("a request");
        if !self.kept {
            request.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        let answer = client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        match self.ask {
            _ if !status.is_success() => Err(format!("{status} {}", String::from_utf8_lossy(&body))),
            Ask::Get(_) => Ok(0),
            Ask::Event => {
                let receipt: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
                receipt["accepted"].as_u64().ok_or_else(|| receipt.to_string())
            }
        }
    }
}

/// One impression, now.
pub fn event(id: &str) -> String {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).expect("an instant");
    format!(r#"{{"id":"{id}","metric":"impressions","quantity":1,"timestamp":"{now}","app_id":"app"}}"#)
}
