//! The links in messages: `POST {base}/u/TOKEN` unsubscribes (RFC 8058), `GET`
//! shows the button that does.
//!
//! No cookies, no login, no redirect, and no word about anybody on a page. What a
//! request's body says is not asked for: a mail provider's one-click, the page's
//! own form, or nothing. Requests that mean nobody all get the same answer.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::console::page;
use crate::pipeline::{App, unsubscribe};
use crate::telemetry::Unsubscribe;

/// The longest body that is read: a one-click's has 26 bytes.
const BODY_MAX: usize = 4096;
/// The longest token that is looked at; the longest that is made is shorter.
const TOKEN_MAX: usize = 512;

#[derive(Clone)]
struct Links {
    /// What stands before the token: `/k/u/`.
    unsubscribe: String,
    app: App,
}

/// Answers the links under a path, and nothing else.
pub fn router(base: &str, app: App) -> Router {
    let links = Links { unsubscribe: format!("{base}/u/"), app };
    // No routes: the path is the operator's, and may look like a pattern.
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_MAX)).with_state(links)
}

async fn answer(State(links): State<Links>, method: Method, uri: Uri, body: Result<Bytes, BytesRejection>) -> Response {
    let token = uri.path().strip_prefix(&links.unsubscribe).filter(|token| token.len() <= TOKEN_MAX);
    let Some(token) = token.map(str::to_owned) else { return page(StatusCode::NOT_FOUND, page::UNKNOWN) };
    match method {
        Method::GET | Method::HEAD => show(&links.app, &token).await,
        Method::POST => match body {
            Ok(_) => take(links.app, token).await,
            Err(refused) => page(refused.status(), page::REFUSED),
        },
        _ => {
            let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, page::REFUSED);
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            answer
        }
    }
}

async fn show(app: &App, token: &str) -> Response {
    match unsubscribe::is_known(app, token).await {
        Ok(true) => page(StatusCode::OK, page::ASK),
        Ok(false) => page(StatusCode::NOT_FOUND, page::UNKNOWN),
        Err(_) => page(StatusCode::SERVICE_UNAVAILABLE, page::FAILED),
    }
}

async fn take(app: App, token: String) -> Response {
    // A task of its own: who hangs up early has unsubscribed all the same, and a
    // transaction is never dropped half-way.
    let ended = tokio::spawn(async move { unsubscribe::unsubscribe(&app, &token).await });
    match ended.await.unwrap_or(Unsubscribe::Failed) {
        Unsubscribe::Taken | Unsubscribe::Repeated => page(StatusCode::OK, page::DONE),
        Unsubscribe::Refused => page(StatusCode::NOT_FOUND, page::UNKNOWN),
        Unsubscribe::Failed => page(StatusCode::SERVICE_UNAVAILABLE, page::FAILED),
    }
}

fn page(status: StatusCode, page: page::Page) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
        (header::CACHE_CONTROL, "no-store"),
        // One request a connection: a place is not held for nothing.
        (header::CONNECTION, "close"),
    ];
    (status, headers, page.html()).into_response()
}
