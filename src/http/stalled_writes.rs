//! Closes connections whose peer reads nothing.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A stream whose writes fail after a time without progress. Reads have other time limits.
pub struct StalledWrites<S> {
    stream: S,
    within: Duration,
    deadline: Pin<Box<Sleep>>,
    is_stalled: bool,
}

impl<S> StalledWrites<S> {
    pub fn new(stream: S, within: Duration) -> StalledWrites<S> {
        StalledWrites { stream, within, deadline: Box::pin(sleep(within)), is_stalled: false }
    }

    /// The result of a write, unless there was no progress for too long.
    fn watched<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_stalled = false;
            return written;
        }
        if !std::mem::replace(&mut self.is_stalled, true) {
            self.deadline.as_mut().reset(Instant::now() + self.within);
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the peer does not read the response")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StalledWrites<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StalledWrites<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(written, context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watched(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watched(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watched(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_peer_that_reads_nothing_ends_the_write() {
        let (ours, _theirs) = duplex(1_000);
        let within = Duration::from_millis(50);
        let begun = Instant::now();
        let error = StalledWrites::new(ours, within).write_all(&[7; 5_000]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::TimedOut && begun.elapsed() >= within, "{error}");
    }

    #[tokio::test]
    async fn a_peer_that_reads_little_by_little_gets_everything() {
        let (ours, mut theirs) = duplex(10);
        let writing = tokio::spawn(async move { StalledWrites::new(ours, Duration::from_secs(60)).write_all(&[7; 5_000]).await });
        let mut read = 0;
        while read < 5_000 {
            read += theirs.read(&mut [0; 7]).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }
}
