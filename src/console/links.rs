//! The links in messages: `POST {base}/u/TOKEN` unsubscribes (RFC 8058), `GET`
//! shows the button that does; `GET {base}/v/TOKEN` shows the message.
//!
//! No cookies, no login, no redirect, and no word about anybody on a page of our
//! own. What a request's body says is not asked for: a mail provider's one-click,
//! the page's own form, or nothing. Requests that mean nobody all get the same answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::app::evidence::unsubscribe;
use crate::app::online::{Online, Shown};
use crate::console::page;
use crate::telemetry::Unsubscribe;

/// The longest body that is read: a one-click's has 26 bytes.
const BODY_MAX: usize = 4096;
/// The longest token that is looked at; the longest that is made is shorter.
const TOKEN_MAX: usize = 512;

#[derive(Clone)]
struct Links {
    /// What stands before the token: `/k/u/`, `/k/v/`.
    unsubscribe: String,
    view: String,
    app: App,
    online: Arc<Online>,
}

/// Answers the links under a path, and nothing else.
pub fn router(base: &str, app: App) -> Router {
    let online = Arc::new(Online::new(app.clone()));
    let links = Links { unsubscribe: format!("{base}/u/"), view: format!("{base}/v/"), app, online };
    // No routes: the path is the operator's, and may look like a pattern.
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_MAX)).with_state(links)
}

async fn answer(State(links): State<Links>, method: Method, uri: Uri, body: Result<Bytes, BytesRejection>) -> Response {
    let token = |before: &String| uri.path().strip_prefix(before).filter(|token| token.len() <= TOKEN_MAX);
    let is_get = matches!(method, Method::GET | Method::HEAD);
    match (token(&links.unsubscribe), token(&links.view)) {
        (Some(token), _) if is_get => show(&links.app, token).await,
        (Some(token), _) if method == Method::POST => match body {
            Ok(_) => take(links.app, token.to_owned()).await,
            Err(refused) => page(refused.status(), page::REFUSED),
        },
        (Some(_), _) => not_allowed("GET, HEAD, POST"),
        (None, Some(token)) if is_get => message(&links.online, token).await,
        (None, Some(_)) => not_allowed("GET, HEAD"),
        (None, None) => page(StatusCode::NOT_FOUND, page::UNKNOWN),
    }
}

fn not_allowed(allowed: &'static str) -> Response {
    let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, page::REFUSED);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

async fn message(online: &Online, token: &str) -> Response {
    match online.show(token).await {
        Ok(Shown::Html(html)) => respond(StatusCode::OK, "text/html; charset=utf-8", page::MESSAGE_POLICY, html),
        Ok(Shown::Text(text)) => respond(StatusCode::OK, "text/plain; charset=utf-8", page::MESSAGE_POLICY, text),
        Ok(Shown::Gone) => page(StatusCode::GONE, page::GONE),
        Ok(Shown::Unknown) => page(StatusCode::NOT_FOUND, page::UNKNOWN),
        Err(_) => page(StatusCode::SERVICE_UNAVAILABLE, page::FAILED),
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
    respond(status, "text/html; charset=utf-8", page::POLICY, page.html())
}

fn respond(status: StatusCode, kind: &'static str, policy: &'static str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
        (header::CACHE_CONTROL, "no-store"),
        // One request a connection: a place is not held for nothing.
        (header::CONNECTION, "close"),
    ];
    (status, headers, text).into_response()
}
