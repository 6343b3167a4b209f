//! `apex-billing reconcile`.

use crate::{
    stand_in::client::post,
    stripe::{StandIn, faults::Fault},
    support::{
        database::TestDatabase,
        program::Workplace,
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};

struct Shell {
    stand_in: StandIn,
    database: TestDatabase,
    place: Workplace,
}

impl Shell {
    /// A customer with an invoice, on both sides.
    async fn start() -> (Shell, String) {
        let stand_in = StandIn::listen("127.0.0.1:0", SECRET_KEY, time::OffsetDateTime::now_utc).await.unwrap();
        let place = Workplace::new();
        place.set("settle-seconds = 10", "settle-seconds = 0");
        let shell = Shell { stand_in, database: TestDatabase::new().await, place };
        shell.run(&["customer", "add", "--name", "Lumen", "--email", "a@lumen.example", "--create-in-stripe"]).0.unwrap();
        let customer =
            shell.stand_in.work(|store| store.all("customer").objects.values().next().unwrap()["id"].as_str().unwrap().to_owned());
        let invoice = post(&shell.stand_in, "v1/invoices", &format!("customer={customer}")).await;
        let invoice = invoice["id"].as_str().unwrap().to_owned();
        let line = "lines[0][amount]=10000&lines[0][description]=Growth";
        post(&shell.stand_in, &format!("v1/invoices/{invoice}/add_lines"), line).await;
        post(&shell.stand_in, &format!("v1/invoices/{invoice}/finalize"), "").await;
        shell.run(&["webhooks", "backfill", "--full"]).0.unwrap();
        (shell, invoice)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command
            .env("DATABASE_URL", &self.database.url)
            .env("STRIPE_SECRET_KEY", SECRET_KEY)
            .env("STRIPE_API_BASE", self.stand_in.base_url())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Ok for exit code 0; else the code. Also its output and its errors.
    fn run(&self, args: &[&str]) -> (Result<(), Option<i32>>, String, String) {
        outcome(self.command(args).output().unwrap())
    }
}

fn outcome(output: Output) -> (Result<(), Option<i32>>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = if output.status.success() { Ok(()) } else { Err(output.status.code()) };
    (code, text(output.stdout), text(output.stderr))
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_is_the_verdict() {
    let (shell, invoice) = Shell::start().await;
    let (code, out, err) = shell.run(&["reconcile", "--json"]);
    let well = read(&out);
    assert_eq!((code, err.as_str()), (Ok(()), ""), "{out}");
    assert_eq!((&well["status"], &well["within_tolerance"], &well["discrepancies"]), (&json!("completed"), &json!(true), &json!([])));
    assert_eq!((&well["checked"]["customers"], &well["checked"]["invoices"]), (&json!(1), &json!(1)), "{well}");
    let (code, out, _) = shell.run(&["reconcile", "--dry-run"]);
    assert!(code.is_ok() && out.starts_with("completed: ") && out.contains("0 discrepancies, nothing at stake"), "{out}");

    shell.stand_in.tamper("invoice", &invoice, |invoice| invoice["total"] = json!(12_345));
    let (code, out, err) = shell.run(&["reconcile", "--dry-run", "--json"]);
    let drifted = read(&out);
    assert_eq!((code, drifted["discrepancies"][0]["object_id"].as_str()), (Err(Some(1)), Some(invoice.as_str())));
    assert_eq!(err.trim_end().lines().collect::<Vec<_>>(), ["apex-billing: 1 discrepancy, not all within tolerance"]);
    let runs: i64 = sqlx::query_scalar("SELECT count(*) FROM reconciliations").fetch_one(&shell.database.pool).await.unwrap();
    assert_eq!(runs, 1, "a dry run leaves none");
    let (code, out, _) = shell.run(&["reconcile"]);
    assert!(code == Err(Some(1)) && out.starts_with(&format!("amount\tinvoice\t{invoice}\ttotal\t10000\t12345\t")), "{out}");

    // Without Stripe nothing can be compared.
    let refused = outcome(shell.command(&["reconcile", "--json"]).env("STRIPE_SECRET_KEY", "sk_test_of_nobody").output().unwrap());
    let failed = read(&refused.1);
    assert_eq!((refused.0, &failed["status"], &failed["within_tolerance"]), (Err(Some(1)), &json!("failed"), &Value::Null));
    assert!(failed["error"].as_str().unwrap().contains("compared 0 objects"), "{failed}");
    let unset = outcome(shell.command(&["reconcile"]).env_remove("STRIPE_SECRET_KEY").output().unwrap());
    assert!(unset.0 == Err(Some(1)) && unset.2.contains("not connected to Stripe"), "{}", unset.2);
    for wrong in [&["reconcile", "--dry-run", "--repair"][..], &["reconcile", "--since", "2026-11-01"]] {
        assert_eq!(shell.run(wrong).0, Err(Some(2)), "{wrong:?}");
    }
    assert!(shell.run(&["reconcile", "--help"]).1.contains("Exit codes:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_it_and_reports_progress() {
    let (shell, _) = Shell::start().await;
    for args in [&["reconcile", "--json"][..], &["reconcile", "--dry-run", "--json"]] {
        shell.stand_in.fault(Fault::hang().times(1000).on("GET", "/v1/charges"));
        let asked = || shell.stand_in.requests().iter().filter(|request| request.path == "/v1/charges").count();
        let before = asked();
        let child = shell.command(args).spawn().unwrap();
        let stuck = async {
            while asked() == before {
                tokio::task::yield_now().await
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), stuck).await.expect("it comes to the charges");
        // SAFETY: only sends a signal to a child that has not been waited for.
        unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGINT) };
        let (code, out, err) = outcome(child.wait_with_output().unwrap());
        let run = read(&out);
        assert_eq!((code, &run["status"], &run["within_tolerance"]), (Err(Some(1)), &json!("cancelled"), &Value::Null), "{err}");
        let error = run["error"].as_str().unwrap();
        assert!(error.contains("was cancelled") && error.contains("had reached the charges and compared"), "{error}");
        assert!(err.starts_with("apex-billing: the reconciliation was cancelled") && err.trim_end().lines().count() == 1, "{err}");
        shell.stand_in.shared.faults.lock().unwrap().clear();
    }
    let runs: Vec<String> = sqlx::query_scalar("SELECT status FROM reconciliations").fetch_all(&shell.database.pool).await.unwrap();
    assert_eq!(runs, ["cancelled"]);
}
