//! `GET /billing/usage/history` and its file, and the forecast from the same records.

use crate::support::TestApp;
use apex_billing::domain::{identity::CustomerId, role::Role};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};

const HISTORY: &str = "/api/v1/billing/usage/history";

async fn record(app: &TestApp, customer: CustomerId, metric: &str, app_id: &str, hour: OffsetDateTime, quantity: i64) {
    sqlx::query(
        "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of) VALUES ($1, $2, $3, $4, $5, 1, $3)",
    )
    .bind(customer.0)
    .bind(metric)
    .bind(hour)
    .bind(app_id)
    .bind(quantity)
    .execute(&app.db)
    .await
    .expect("a record");
}

/// A series' app, and its points' starts and quantities.
type Series<'a> = (Option<&'a str>, Vec<(&'a str, u64)>);

fn points(body: &Value) -> Vec<Series<'_>> {
    let series = body["series"].as_array().expect("series");
    series
        .iter()
        .map(|series| {
            let points = series["points"].as_array().expect("points").iter();
            (series["app_id"].as_str(), points.map(|p| (p["start"].as_str().unwrap(), p["quantity"].as_u64().unwrap())).collect())
        })
        .collect()
}

#[tokio::test]
async fn days_are_utc_days_half_open_and_without_gaps() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    for (hour, quantity) in [
        (datetime!(2026-10-24 23:00 UTC), 1),
        // Europe's clocks change on this day; here it still has 24 hours.
        (datetime!(2026-10-25 00:00 UTC), 10),
        (datetime!(2026-10-25 23:00 UTC), 20),
        (datetime!(2026-10-27 00:00 UTC), 300),
        (datetime!(2026-10-28 00:00 UTC), 4000),
    ] {
        record(&app, customer, "impressions", "a", hour, quantity).await;
        record(&app, customer, "impressions", "b", hour, quantity).await;
    }
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let answer = person.get(&format!("{HISTORY}?metric=impressions&from=2026-10-25&to=2026-10-28")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let day = |day: &str, quantity: u64| json!({"start": format!("2026-10-{day}T00:00:00Z"), "quantity": quantity});
    assert_eq!(
        answer.json(),
        json!({"series": [{"metric": "impressions", "app_id": null, "points": [day("25", 60), day("26", 0), day("27", 600)]}]})
    );
    // The same span in another time zone, and as instants.
    let berlin = person.get(&format!("{HISTORY}?metric=impressions&from=2026-10-25T02:00:00%2B02:00&to=2026-10-28T01:00:00%2B01:00")).await;
    assert_eq!(berlin.json(), answer.json());
}

#[tokio::test]
async fn hours_and_months_end_where_they_end() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    for (hour, quantity) in [
        (datetime!(2026-08-31 23:00 UTC), 1),
        (datetime!(2026-09-30 23:00 UTC), 2),
        (datetime!(2026-10-01 00:00 UTC), 3),
        (datetime!(2026-10-31 23:00 UTC), 4),
        (datetime!(2026-11-01 00:00 UTC), 5),
    ] {
        record(&app, customer, "api_calls", "a", hour, quantity).await;
    }
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let months = person.get(&format!("{HISTORY}?metric=api_calls&granularity=month&from=2026-08-31T23:00:00Z&to=2026-11-01")).await.json();
    assert_eq!(points(&months), [(None, vec![("2026-08-01T00:00:00Z", 1), ("2026-09-01T00:00:00Z", 2), ("2026-10-01T00:00:00Z", 7)])]);
    let hours =
        person.get(&format!("{HISTORY}?metric=api_calls&granularity=hour&from=2026-10-31T22:30:00Z&to=2026-11-01T01:00:00Z")).await.json();
    assert_eq!(points(&hours), [(None, vec![("2026-10-31T23:00:00Z", 4), ("2026-11-01T00:00:00Z", 5)])]);
    // No hour begins within.
    let none = person.get(&format!("{HISTORY}?granularity=hour&from=2026-10-31T23:10:00Z&to=2026-10-31T23:50:00Z")).await;
    assert_eq!((none.status, none.json()), (200, json!({"series": []})));
}

#[tokio::test]
async fn apps_are_ordered_by_usage_and_small_ones_summed() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    for place in 1..=23 {
        record(&app, customer, "impressions", &format!("app_{place:02}"), datetime!(2026-11-20 10:00 UTC), 1000 - place).await;
    }
    record(&app, customer, "api_calls", "app_07", datetime!(2026-11-21 10:00 UTC), 9).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let body = person.get(&format!("{HISTORY}?from=2026-11-20&to=2026-11-22&group_by=app")).await.json();
    let series = points(&body);
    assert_eq!(series.len(), 22);
    assert_eq!(series[0], (Some("app_01"), vec![("2026-11-20T00:00:00Z", 999), ("2026-11-21T00:00:00Z", 0)]));
    assert_eq!(series[19].0, Some("app_20"));
    assert_eq!(series[20], (None, vec![("2026-11-20T00:00:00Z", 979 + 978 + 977), ("2026-11-21T00:00:00Z", 0)]));
    assert_eq!(body["series"][20]["other_apps"], 3);
    assert_eq!((&body["series"][21]["metric"], series[21].0, series[21].1[1].1), (&json!("api_calls"), Some("app_07"), 9));
    // The sum equals the series without apps.
    let whole = person.get(&format!("{HISTORY}?from=2026-11-20&to=2026-11-22&metric=impressions")).await.json();
    let sum: u64 = series[..21].iter().map(|(_, points)| points[0].1).sum();
    assert_eq!(points(&whole)[0].1[0].1, sum);
}

#[tokio::test]
async fn without_parameters_it_is_thirty_days_of_every_metric() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    record(&app, customer, "data_transfer_bytes", "a", datetime!(2026-11-22 15:00 UTC), 7).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let body = person.get(HISTORY).await.json();
    let series = points(&body);
    assert_eq!(series.iter().map(|(_, points)| points.len()).collect::<Vec<_>>(), [31, 31, 31]);
    assert_eq!(series[2].1[30], ("2026-11-22T00:00:00Z", 7));
    assert_eq!(series[0].1[0], ("2026-10-23T00:00:00Z", 0));
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Readonly, Some(app.add_customer("lumen").await)).await;
    for (query, parameter) in [
        ("metric=views", "metric"),
        ("granularity=minute", "granularity"),
        ("group_by=country", "group_by"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("from=2027-01-01", "from"),
        ("granularity=hour&from=2026-08-01&to=2026-11-20", "from"),
        ("from=2024-01-01&to=2026-11-20", "from"),
        ("granularity=month&from=0001-01-01&to=9998-01-01", "from"),
        ("granularity=hour&from=2026-09-01&to=2026-11-20&group_by=app", "metric"),
    ] {
        for path in [HISTORY.to_owned(), format!("{HISTORY}.csv")] {
            let problem = person.get(&format!("{path}?{query}")).await.problem(422, "invalid_parameter");
            assert_eq!(problem["parameter"], parameter, "{query}");
        }
    }
    let longest = person.get(&format!("{HISTORY}?granularity=hour&from=2026-09-01&to=2026-11-20&group_by=app&metric=api_calls")).await;
    assert_eq!((longest.status, longest.json()), (200, json!({"series": []})));
}

#[tokio::test]
async fn users_see_only_their_own_history() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    record(&app, theirs, "impressions", "secret_app", datetime!(2026-11-20 10:00 UTC), 5).await;
    for path in [format!("{HISTORY}?group_by=app"), format!("{HISTORY}.csv?group_by=app")] {
        app.client().get(&path).await.problem(401, "unauthenticated");
        for client in [app.sign_in(Role::Publisher, Some(ours)).await, app.machine(ours).await] {
            let own = client.get(&path).await;
            assert_eq!(own.status, 200);
            assert!(!own.text().contains("secret_app"), "{}", own.text());
            client.get(&format!("{path}&customer_id={theirs}")).await.problem(404, "not_found");
        }
        let staff = app.sign_in(Role::Admin, None).await;
        assert!(staff.get(&format!("{path}&customer_id={theirs}")).await.text().contains("secret_app"));
        staff.get(&path).await.problem(422, "invalid_parameter");
    }
}

#[tokio::test]
async fn the_file_has_the_same_data_and_no_formula() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    record(&app, customer, "impressions", "=cmd|' /C calc'!A0", datetime!(2026-11-20 10:00 UTC), 5).await;
    record(&app, customer, "impressions", "plain", datetime!(2026-11-20 11:00 UTC), 4).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let file = person.get(&format!("{HISTORY}.csv?metric=impressions&group_by=app&from=2026-11-20&to=2026-11-21")).await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("text/csv; charset=utf-8; header=present")));
    assert!(file.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert_eq!(
        file.text(),
        "\u{feff}metric,app_id,other_apps,start,quantity,gigabytes\r\n\
         impressions,'=cmd|' /C calc'!A0,,2026-11-20T00:00:00Z,5,\r\n\
         impressions,plain,,2026-11-20T00:00:00Z,4,\r\n"
    );
}

#[tokio::test]
async fn the_file_of_the_running_period_ends_with_today() {
    let app = TestApp::start().await;
    let customer = app.add_customer("Lumen Games").await;
    app.subscribe(customer, "growth", "usd").await;
    record(&app, customer, "impressions", "a", datetime!(2026-11-20 10:00 UTC), 5).await;
    record(&app, customer, "data_transfer_bytes", "a", datetime!(2026-11-22 10:00 UTC), 37_250_000_000).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let period = "granularity=day&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z";
    let file = person.get(&format!("{HISTORY}.csv?metric=impressions&{period}")).await;
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"usage-lumen-games-impressions-2026-11-01_2026-11-30.csv\"")
    );
    let text = file.text();
    let days: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!((days.len(), days[19], days[21]), (22, "impressions,,,2026-11-20T00:00:00Z,5,", "impressions,,,2026-11-22T00:00:00Z,0,"));
    // All metrics in one file, bytes as GB too.
    let all = person.get(&format!("{HISTORY}.csv?{period}")).await;
    assert_eq!(all.header("content-disposition"), Some("attachment; filename=\"usage-lumen-games-2026-11-01_2026-11-30.csv\""));
    assert!(all.text().contains("data_transfer_bytes,,,2026-11-22T00:00:00Z,37250000000,37.25\r\n"), "{}", all.text());
    assert_eq!(all.text().lines().count(), 1 + 3 * 22);
    // The API's response has every requested day.
    let series = person.get(&format!("{HISTORY}?metric=impressions&{period}")).await.json();
    assert_eq!(series["series"][0]["points"].as_array().unwrap().len(), 30);
    // The page links to both.
    let html = person.get("/billing/usage").await.text();
    assert!(html.contains("history.csv?metric=impressions&amp;") && html.contains("history.csv?granularity=day"), "{html}");
}

#[tokio::test]
async fn file_names_support_non_ascii_names() {
    let app = TestApp::start().await;
    let customer = app.add_customer("Söhne").await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let file = person.get(&format!("{HISTORY}.csv?metric=api_calls&from=2026-11-20&to=2026-11-21")).await;
    assert_eq!(
        file.header("content-disposition"),
        Some(
            "attachment; filename=\"usage-s_hne-api-calls-2026-11-20_2026-11-20.csv\"; filename*=UTF-8''usage-s%C3%B6hne-api-calls-2026-11-20_2026-11-20.csv"
        )
    );
}

#[tokio::test]
async fn the_forecast_uses_the_week_before_the_period() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    // Business days only, six weeks up to the Sunday of the tests.
    let first = datetime!(2026-10-12 0:00 UTC);
    let business = |at: OffsetDateTime| at.weekday().number_days_from_monday() < 5 && (8..18).contains(&at.hour());
    for hour in (0..).map(|hour| first + Duration::hours(hour)).take_while(|hour| *hour < app.now()).filter(|hour| business(*hour)) {
        record(&app, customer, "impressions", "a", hour, 1000).await;
    }
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let body = person.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(body["current_period"]["impressions"], 15 * 10_000);
    // Six business days are left until 30 November; with the mean rate so far it would be 206,000.
    let forecast = &body["forecast"]["impressions"];
    let amount = forecast["amount"].as_u64().unwrap();
    assert!(amount.abs_diff(210_000) < 1000, "{forecast}");
    assert!(forecast["low"].as_u64().unwrap() <= 210_000 && 210_000 <= forecast["high"].as_u64().unwrap(), "{forecast}");
    assert_eq!(body["as_of"], "2026-11-20T17:00:00Z");
    assert_eq!(body["daily"].as_array().unwrap().len(), 22);
}

#[tokio::test]
async fn there_is_no_forecast_before_a_day_of_use() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    record(&app, customer, "impressions", "a", datetime!(2026-11-21 16:00 UTC), 1000).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let forecast = async || person.get("/api/v1/billing/usage/current").await.json()["forecast"].clone();
    assert_eq!(forecast().await, Value::Null);
    app.advance(Duration::minutes(10));
    assert!(forecast().await["impressions"]["amount"].as_u64().unwrap() > 1000);
}

#[tokio::test]
async fn the_page_compares_periods_and_shows_apps() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    let first = datetime!(2026-10-01 0:00 UTC);
    for hour in (0..).map(|day| first + Duration::hours(24 * day + 12)).take_while(|hour| *hour < app.now()) {
        for place in 1..=12 {
            let quantity = i64::from(hour.ordinal()) * 1_000_000 / place;
            record(&app, customer, "impressions", &format!("com.example.games.number_{place:02}"), hour, quantity).await;
        }
    }
    record(&app, customer, "impressions", "<b>bold</b>", datetime!(2026-11-02 0:00 UTC), 9_000_000_000).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let html = person.get("/billing/usage").await.page();
    for text in ["Previous period, 1 – 31 Oct 2026", "Download as CSV", "href=\"/billing/usage?metric=impressions&amp;by=app#daily-title\""]
    {
        assert!(html.contains(text), "{text} in {html}");
    }
    // 22 November is next to 22 October, in the table as in the chart.
    let sum_of = |ordinal: u64| (1..=12).map(|place| ordinal * 1_000_000 / place).sum::<u64>();
    let shown = apex_billing::domain::money::group_thousands(sum_of(295));
    assert!(html.contains(&format!("22 Oct: {shown}")) && html.contains(&format!("<td class=\"number\">{shown}</td>")), "{html}");
    assert!(!html.contains("number_01"), "{html}");

    let html = person.get("/billing/usage?metric=impressions&by=app").await.text();
    for text in ["com.example.games.number_07", "5 other apps", "&lt;b&gt;bold&lt;/b&gt;", "group_by=app", "Show the apps as a table"] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(!html.contains("<b>bold") && !html.contains("number_08"), "{html}");
    assert!(html.len() < 50_000, "{}", html.len());

    // The link has the page's parameters.
    let start = html.find("/api/v1/billing/usage/history.csv").expect("a link");
    let link = html[start..].split('"').next().unwrap_or_default().replace("&amp;", "&");
    let file = person.get(&link).await;
    assert_eq!(file.status, 200, "{}", file.text());
    assert!(file.text().contains("com.example.games.number_01,,2026-11-22T00:00:00Z,326000000,\r\n"), "{}", file.text());
}

#[tokio::test]
async fn a_new_customers_chart_has_no_previous_period() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let html = person.get("/billing/usage?by=app").await.text();
    assert!(html.contains("No events yet") && html.contains("/api/v1/usage/events") && !html.contains("Previous period"), "{html}");
}
