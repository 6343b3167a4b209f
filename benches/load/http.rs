//! A minimal HTTP/1.1 client: the drivers must cost little compared with what they measure.

use anyhow::{Context, ensure};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Timeout for a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest responses are pages.
pub const MOST_ANSWER_BYTES: usize = 256 * 1024;

/// Sends a request and returns the length of its response, head and body.
pub async fn ask(stream: &mut TcpStream, request: &[u8], answer: &mut [u8]) -> anyhow::Result<usize> {
    stream.write_all(request).await?;
    tokio::time::timeout(PATIENCE, read_answer(stream, answer)).await.context("no answer")?
}

/// Reads one whole response and returns its length.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<usize> {
    let mut filled = 0;
    loop {
        ensure!(filled < buffer.len(), "the answer is too long");
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the connection was closed:\n{}", String::from_utf8_lossy(&buffer[..filled]));
        filled += read;
        if let Some(length) = answer_length(&buffer[..filled])?
            && filled >= length
        {
            ensure!(filled == length, "more was answered than asked");
            return Ok(filled);
        }
    }
}

/// Length of a response, head and body, once enough of it has arrived to tell.
fn answer_length(read: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = str::from_utf8(&read[..head]).context("the answer's head is no text")?;
    let header = |wanted: &str| {
        let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(chunks_length(&read[head + 4..])?.map(|length| head + 4 + length));
    }
    let body = header("content-length").and_then(|value| value.parse::<usize>().ok());
    Ok(Some(head + 4 + body.with_context(|| format!("an answer without a length:\n{text}"))?))
}

/// Length of a chunked body without trailers (RFC 9112, section 7.1), once all of it has arrived.
fn chunks_length(body: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut at = 0;
    loop {
        let Some(line) = body.get(at..).and_then(|rest| rest.windows(2).position(|window| window == b"\r\n")) else { return Ok(None) };
        let size = str::from_utf8(&body[at..at + line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.context("a chunk without a size")?;
        at += line + 2 + size + 2;
        if body.len() < at {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

/// Nearest-rank percentile: the smallest value that is not exceeded by this share of all values.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
