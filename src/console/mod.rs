//! What is served over HTTP. It decides nothing that the command line cannot.
//!
//! `/metrics` in Prometheus' text format, `/healthz` for whoever asks whether
//! the process lives. Both are counts and words only, never accounts, and are
//! meant for an address that only the operator's machines reach. The links in
//! messages are answered on an address of their own (`links`), in plain HTTP
//! behind a proxy that speaks TLS.

mod bounded;
mod links;
mod page;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::error::{Error, Result};
use crate::telemetry::{Metrics, event};
use bounded::Bounded;

/// A server that runs until it is stopped or dropped with its runtime.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Serving {
    /// The address that it is bound to; with the port asked for, or the one
    /// that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new requests, answers those under way, and ends.
    ///
    /// # Errors
    /// The server had failed (exit 1).
    pub async fn stop(self) -> Result<()> {
        // The receiver is gone only when the task has ended by itself.
        let _ = self.stop.send(());
        let failed = |e: &(dyn std::error::Error + 'static)| Error::unexpected("serving HTTP failed").cause(e);
        self.task.await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
    }
}

/// Serves `/metrics` and `/healthz` on `address` (`127.0.0.1:9464`).
///
/// # Errors
/// The address is none, is taken, or is not this machine's (exit 2).
pub async fn serve_metrics(address: &str, metrics: Metrics) -> Result<Serving> {
    let (listener, address) = bind(address, "metrics", "127.0.0.1:9464").await?;
    event::serving(address);
    Ok(start(listener, address, router(metrics)))
}

/// Answers the links in messages on `address` (`127.0.0.1:8025`), under the path
/// of `links.base`.
///
/// # Errors
/// As there, or the configuration has no `links.base` (exit 2).
pub async fn serve_links(address: &str, app: App) -> Result<Serving> {
    let Some(base) = app.config.links_path().map(str::to_owned) else {
        return Err(Error::usage("there are no links to answer")
            .why("messages carry no links without links.base")
            .now("set links.base in the configuration, as in \"https://mail.registrar.example/k\""));
    };
    let (listener, address) = bind(address, "links", "127.0.0.1:8025").await?;
    event::serving_links(address);
    Ok(start(Bounded::new(listener), address, links::router(&base, app)))
}

async fn bind(address: &str, what: &str, example: &str) -> Result<(TcpListener, SocketAddr)> {
    let cannot = |why: &dyn std::fmt::Display| {
        Error::usage(format!("cannot serve {what} on {address}"))
            .why(why)
            .now(format!("stop what listens there, or give another address, as in {example} (port 0: any free one)"))
    };
    let wanted: SocketAddr = address.parse().map_err(|_| cannot(&"it is not an IP address and port"))?;
    let listener = TcpListener::bind(wanted).await.map_err(|e| cannot(&e))?;
    let bound = listener.local_addr().map_err(|e| cannot(&e))?;
    Ok((listener, bound))
}

fn start<L: Listener<Addr = SocketAddr>>(listener: L, address: SocketAddr, router: Router) -> Serving {
    let (stop, stopped) = oneshot::channel::<()>();
    let served = axum::serve(listener, router).with_graceful_shutdown(async {
        // A sender that was dropped unsent leaves the server running.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    let task = tokio::spawn(async move { served.await });
    Serving { address, stop, task }
}

fn router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(text)).route("/healthz", get(|| async { "ok\n" })).with_state(metrics)
}

async fn text(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn request(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let text = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn serve() -> (Serving, Metrics) {
        let metrics = Metrics::new().unwrap();
        (serve_metrics("127.0.0.1:0", metrics.clone()).await.unwrap(), metrics)
    }

    #[tokio::test]
    async fn metrics_and_health_are_answered_and_nothing_else() {
        let (serving, metrics) = serve().await;
        metrics.queue_depth(42);
        let answer = request(serving.address(), "GET /metrics").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("kakitome_queue_depth 42\n"), "{answer}");
        assert!(request(serving.address(), "GET /healthz").await.ends_with("\r\n\r\nok\n"));
        assert!(request(serving.address(), "GET /").await.starts_with("HTTP/1.1 404"));
        assert!(request(serving.address(), "POST /metrics").await.starts_with("HTTP/1.1 405"));
        serving.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_stopped_server_gives_its_address_back() {
        let (serving, metrics) = serve().await;
        let address = serving.address();
        serving.stop().await.unwrap();
        serve_metrics(&address.to_string(), metrics).await.unwrap().stop().await.unwrap();
    }

    #[tokio::test]
    async fn an_address_that_is_taken_or_none_is_refused_with_what_to_do() {
        let (serving, metrics) = serve().await;
        for address in [serving.address().to_string(), "localhost".into(), "192.0.2.1:9464".into()] {
            let error = serve_metrics(&address, metrics.clone()).await.unwrap_err();
            assert_eq!(error.exit(), crate::error::Exit::Usage);
            let said = error.to_string();
            assert!(said.starts_with(&format!("cannot serve metrics on {address}: ")), "{said}");
            assert!(said.contains("now: stop what listens there"), "{said}");
        }
    }
}
