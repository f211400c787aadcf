//! A listener that strangers may reach: so many connections at once, each for so
//! long. Whoever is too slow, or waits for nothing, loses the connection; the
//! next ones wait in the kernel's queue until one is free.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// Connections at once.
const CONNECTIONS: usize = 256;
/// How long one may last: one small request, and one small answer.
const LASTS: Duration = Duration::from_secs(30);

/// Accepts no more connections than are allowed at once.
pub struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
    lasts: Duration,
}

impl Bounded {
    pub fn new(listener: TcpListener) -> Self {
        Self::with(listener, CONNECTIONS, LASTS)
    }

    fn with(listener: TcpListener, connections: usize, lasts: Duration) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(connections)), lasts }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = loop {
            // It is never closed; if it were, nobody would be let in.
            match self.free.clone().acquire_owned().await {
                Ok(permit) => break permit,
                Err(_) => std::future::pending().await,
            }
        };
        let (stream, from) = Listener::accept(&mut self.listener).await;
        (Connection { stream, over: Box::pin(tokio::time::sleep(self.lasts)), _permit: permit }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection; its place is free again when it is dropped.
pub struct Connection {
    stream: TcpStream,
    over: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Whether its time is over; wakes the task then.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.over.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::Router;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_waits_for_a_free_place_and_a_silent_one_loses_its() {
        let lasts = Duration::from_millis(300);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(|| async { "here" });
        tokio::spawn(async move { axum::serve(Bounded::with(listener, 1, lasts), router).await });
        let begun = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        // Half a request, and no more of it.
        silent.write_all(b"POST / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        second.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        assert!(begun.elapsed() >= lasts, "it did not wait for the first one's place");
        let mut rest = Vec::new();
        // It may be reset or closed; it is over either way.
        let _ = silent.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("200"));
    }
}
