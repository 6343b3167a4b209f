//! The real server against faulty HTTP clients: too slow, too large, malformed.

use crate::{
    faults::senders::wait_until,
    support::{
        database::TestDatabase,
        program::{Running, Workplace, get},
    },
};
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Timeout of all waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// Delay between two bytes of a slow client.
const PAUSE: Duration = Duration::from_millis(20);

/// A server with these settings, each as in `Leptos.toml`.
async fn serve(settings: &[(&str, &str)]) -> (TestDatabase, Workplace, Running) {
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    for (known, other) in settings {
        place.set(known, other);
    }
    let mut command = place.command(&["serve", "--no-migrate"]);
    let server = Running::start(command.env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"));
    (database, place, server)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything up to the connection's end; a reset ends it too.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection stays open: {error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The response to these bytes until the connection's end.
fn exchange(address: &str, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    // The server may respond before it has received everything.
    stream.write_all(bytes).ok();
    rest(&mut stream)
}

/// Sends a byte from time to time until the server closes the connection; returns the response.
fn drip(address: &str, head: &str, byte: u8) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PAUSE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let (begun, mut answer) = (Instant::now(), Vec::new());
    loop {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(begun.elapsed() < PATIENCE, "a slow client is never disconnected");
                stream.write_all(&[byte]).ok();
            }
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

#[track_caller]
fn serves(server: &Running) {
    let answer = server.get("/readyz");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn slow_clients_are_disconnected_in_time() {
    let (_database, _place, server) = serve(&[
        ("head-milliseconds = 30_000", "head-milliseconds = 400"),
        ("request-timeout-seconds = 30", "request-timeout-seconds = 1"),
    ])
    .await;
    // A head that never ends, however steadily it arrives.
    let (answer, taken) = drip(&server.address, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ", b'a');
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(taken >= Duration::from_millis(300), "{taken:?}");
    // Nothing at all.
    assert!(!exchange(&server.address, b"").starts_with("HTTP/1.1 200"));
    // A body that never ends, on paths with different body readers.
    for path in ["/api/v1/webhooks/stripe", "/api/v1/auth/login"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{{\"");
        let (answer, taken) = drip(&server.address, &head, b'a');
        assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
        assert!(taken >= Duration::from_millis(900), "{path}: {taken:?}");
        let chunked =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n");
        assert!(drip(&server.address, &chunked, b'a').0.starts_with("HTTP/1.1 503"), "{path}");
    }
    serves(&server);
}

#[tokio::test]
async fn excess_data_is_refused_before_it_is_read() {
    let (_database, _place, server) = serve(&[]).await;
    let begins = |bytes: &[u8], status: &str| {
        let answer = exchange(&server.address, bytes);
        let said = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{said}: {answer}");
    };
    // Heads: one long header, many short ones, one more than allowed, a long path.
    begins(format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(140_000)).as_bytes(), "431");
    begins(format!("GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: a\r\n".repeat(5_000)).as_bytes(), "431");
    begins(format!("GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: a\r\n".repeat(100)).as_bytes(), "431");
    begins(format!("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", "X-Many: a\r\n".repeat(98)).as_bytes(), "200");
    let long_path = exchange(&server.address, format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)).as_bytes());
    assert!(["HTTP/1.1 414", "HTTP/1.1 431"].iter().any(|status| long_path.starts_with(status)), "{long_path}");

    // Bodies: by their Content-Length before any of it has arrived; and without one, as soon as it
    // is too large.
    for (path, limit) in [("/api/v1/webhooks/stripe", 1_048_576), ("/api/v1/auth/login", 65_536)] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n");
        begins(format!("{head}Content-Length: {}\r\n\r\n", limit + 1).as_bytes(), "413");
        begins(format!("{head}Content-Length: 9000000000000000000\r\n\r\n").as_bytes(), "413");
        begins(format!("{head}Content-Length: 99999999999999999999\r\n\r\n").as_bytes(), "400");
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
        let mut stream = connect(&server.address);
        write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
        // Twice the limit, without an end.
        for _ in 0..2 * limit / 0x10000 + 1 {
            if stream.write_all(chunk.as_bytes()).is_err() {
                break;
            }
        }
        let mut answer = String::new();
        // Data sent beyond the response may reset the connection, but not before the response has
        // arrived.
        BufReader::new(&stream).read_line(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    }
    serves(&server);
}

#[tokio::test]
async fn clients_that_send_first_still_get_the_error() {
    let (_database, _place, server) = serve(&[]).await;
    // More than the buffers on the way hold, so that the client can't finish unless the server
    // reads.
    let body = vec![b'a'; 10_000_000];
    let key = format!("Authorization: Bearer apex_{}\r\n", "0".repeat(64));
    for (path, header, status) in [
        ("/api/v1/usage/events", key.as_str(), "401"),
        ("/api/v1/usage/events", "", "401"),
        ("/api/v1/webhooks/stripe", "", "413"),
        ("/api/v1/auth/login", "", "413"),
    ] {
        let mut stream = connect(&server.address);
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(&body).unwrap_or_else(|error| panic!("{path}: cut off: {error}"));
        // And the connection can be reused.
        write!(stream, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let answers = rest(&mut stream);
        assert!(answers.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answers}");
        assert!(answers.contains("HTTP/1.1 200 OK"), "{path}: {answers}");
    }
}

#[tokio::test]
async fn malformed_requests_are_refused_without_smuggling() {
    let (_database, _place, server) = serve(&[]).await;
    for nonsense in [
        &b"\r\n\r\n\r\nnonsense\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"G\x00T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client that expects TLS\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = exchange(&server.address, nonsense);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 505"), "{nonsense:?}: {answer}");
        serves(&server);
    }
    // Valid requests before a malformed one are served, each once, and nothing after it.
    let pipelined = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3) + "nonsense\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let answers = exchange(&server.address, pipelined.as_bytes());
    assert_eq!((answers.matches("HTTP/1.1 200").count(), answers.matches("HTTP/1.1 4").count()), (3, 1), "{answers}");
    // Of two framings one counts, and the other's remainder is not a request.
    let smuggled = "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5c\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut stream = connect(&server.address);
    stream.write_all(smuggled.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(rest(&mut stream).matches("HTTP/1.1 ").count() <= 1);
    serves(&server);
}

#[tokio::test]
async fn excess_connections_wait_and_metrics_still_work() {
    let (_database, _place, server) = serve(&[("max-connections = 4_096", "max-connections = 2")]).await;
    let answer_of = |stream: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        stream.read_line(&mut line).map(|_| line)
    };
    let mut held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = BufReader::new(connect(&server.address));
            stream.get_mut().write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            assert!(answer_of(&mut stream).unwrap().starts_with("HTTP/1.1 200"));
            stream
        })
        .collect();
    let mut waiting = BufReader::new(connect(&server.address));
    waiting.get_mut().write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    waiting.get_mut().set_read_timeout(Some(PAUSE * 10)).unwrap();
    let error = answer_of(&mut waiting).expect_err("it is not served yet");
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    // The operator sees the reason in the metrics.
    for path in ["/livez", "/readyz"] {
        assert!(get(&server.metrics, path).starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(get(&server.metrics, "/metrics").contains("\nhttp_connections 2\n"));
    held.pop();
    waiting.get_mut().set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(answer_of(&mut waiting).unwrap().starts_with("HTTP/1.1 200"));
}

/// A connection from this loopback address.
fn connect_from(source: &str, address: &str) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&format!("{source}:0").parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.connect(&address.parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_address_has_a_share_of_the_connections() {
    let (_database, _place, server) = serve(&[("connections-per-address = 256", "connections-per-address = 3")]).await;
    // Heads that never end.
    let mut held: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = connect_from("127.0.0.7", &server.address);
            stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    wait_until("three connections are open", || get(&server.metrics, "/metrics").contains("\nhttp_connections 3\n"));
    for _ in 0..20 {
        let answer = rest(&mut connect_from("127.0.0.7", &server.address));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 429"), "{answer}");
        let mut other = connect_from("127.0.0.8", &server.address);
        other.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        assert!(rest(&mut other).starts_with("HTTP/1.1 200"));
    }
    assert!(get(&server.metrics, "/metrics").contains("\nhttp_connections_refused_total 20\n"));
    held.pop();
    wait_until("a connection has ended", || get(&server.metrics, "/metrics").contains("\nhttp_connections 2\n"));
    let mut again = connect_from("127.0.0.7", &server.address);
    again.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(&mut again).starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let (_database, _place, server) = serve(&[("write-milliseconds = 30_000", "write-milliseconds = 300")]).await;
    let mut stream = connect(&server.address);
    stream.set_write_timeout(Some(PAUSE * 10)).unwrap();
    // More responses than the buffers between the two hold.
    let request = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    let sent = (0..2_000).take_while(|_| stream.write_all(request).is_ok()).count();
    assert!(sent > 10, "{sent}");
    wait_until("the connection is cut off", || get(&server.metrics, "/metrics").contains("\nhttp_connections 0\n"));
    let answers = rest(&mut stream);
    assert!(answers.matches("HTTP/1.1 200").count() < sent || sent == 2_000, "{sent}");
    serves(&server);
}
