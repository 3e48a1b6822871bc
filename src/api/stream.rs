//! A stream of server-sent events (WHATWG HTML, section 9.2): a task feeds a short queue, the response drains it. The task
//! ends with the reader, the session, the server, or the opening of the appliance, and never blocks a worker.

use crate::appliance::{Appliance, Open};
use crate::call::blocking;
use crate::wire::{Cookie, bearer, cookie};
use actix_web::HttpRequest;
use actix_web::body::{BodySize, MessageBody};
use actix_web::rt::time::interval;
use actix_web::web::Bytes;
use identity::{Actor, ActorContext, AuthMethod};
use kernel::{Fault, Outcome, limits};
use records::{Begun, EventView, Told, Watch};
use serde_json::json;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Messages that wait for a slow reader before its task waits, too.
const WAITING_MAX: usize = 16;

/// The body of the response.
#[derive(Debug)]
pub(crate) struct EventBody(mpsc::Receiver<Bytes>);

impl MessageBody for EventBody {
    type Error = Infallible;
    fn size(&self) -> BodySize {
        BodySize::Stream
    }
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(Ok))
    }
}

/// What a reader showed, to be looked at again while the stream is open.
enum Shown {
    Cookie(Zeroizing<String>),
    Token(Zeroizing<String>),
}

/// Everything a stream needs.
pub(crate) struct Stream {
    open: Arc<Open>,
    appliance: Appliance,
    watch: Watch,
    actor: Arc<Actor>,
    context: ActorContext,
    shown: Shown,
}

impl Stream {
    /// The stream of a request that has passed its checks.
    pub(crate) fn new(
        (open, appliance): (Arc<Open>, Appliance),
        (watch, actor): (Watch, Arc<Actor>),
        (request, context, kind): (&HttpRequest, ActorContext, Cookie),
    ) -> Outcome<Self> {
        let headers = request.headers();
        let shown = match (bearer(headers)?, cookie(headers, kind)) {
            (Some(token), _) => Shown::Token(Zeroizing::new(token.to_owned())),
            (None, Some(cookie)) => Shown::Cookie(Zeroizing::new(cookie.to_owned())),
            (None, None) => return Err(Fault::internal("a stream for somebody without credentials")),
        };
        Ok(Self { open, appliance, watch, actor, context, shown })
    }

    /// Starts the task that feeds the body.
    pub(crate) fn start(self, begun: Begun) -> EventBody {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        actix_web::rt::spawn(self.run(begun, sender));
        EventBody(receiver)
    }

    async fn run(mut self, begun: Begun, sender: mpsc::Sender<Bytes>) {
        let mut ended = self.appliance.streams_ended();
        let mut beat = interval(Duration::from_secs(limits::EVENT_HEARTBEAT_SECONDS));
        beat.tick().await;
        if sender.send(first(&begun)).await.is_err() {
            return;
        }
        loop {
            let told = tokio::select! {
                told = self.watch.next(&self.actor) => Some(told),
                _ = beat.tick() => None,
                _ = ended.changed() => return,
                () = sender.closed() => return,
            };
            if !self.still_signed_in().await {
                let _ = sender.send(Bytes::from_static(b"event: end\ndata: {}\n\n")).await;
                return;
            }
            let text = match told {
                None => Bytes::from_static(b":\n\n"),
                Some(Told::Changes(events)) => changes(&events).into(),
                Some(Told::Reset { seq }) => reset(seq).into(),
                Some(Told::Presence(event)) => format!("event: presence\ndata: {}\n\n", json!(*event)).into(),
                Some(Told::Notice) => Bytes::from_static(b"event: notification\ndata: {}\n\n"),
                Some(Told::Ended) => return,
            };
            if sender.send(text).await.is_err() {
                return;
            }
        }
    }

    /// Looks again at who this is: nothing is told after a session has ended, and rights are those of now.
    async fn still_signed_in(&mut self) -> bool {
        if self.appliance.is_sealed() {
            return false;
        }
        let (identity, context) = (Arc::clone(&self.open.identity), self.context.clone());
        let actor = match &self.shown {
            Shown::Cookie(cookie) => {
                let cookie = Zeroizing::new(cookie.as_str().to_owned());
                blocking(move || Ok(identity.resume_quiet(&cookie, context)?)).await
            }
            Shown::Token(token) => {
                let token = Zeroizing::new(token.as_str().to_owned());
                blocking(move || Ok(identity.bearer(&token, context)?)).await
            }
        };
        let Ok(actor) = actor else { return false };
        let by_token = actor.auth() == AuthMethod::Token;
        if actor.must_change_password() || (by_token && self.open.records.policy().token_use(&actor).is_err()) {
            return false;
        }
        self.actor = Arc::new(actor);
        true
    }
}

/// What every stream begins with: when to come back after a break, where it stands, and what was missed.
fn first(begun: &Begun) -> Bytes {
    let mut text = format!("retry: 3000\nid: {}\nevent: hello\ndata: {{\"seq\":{}}}\n\n", begun.seq, begun.seq);
    if begun.reset {
        text.push_str(&reset(begun.seq));
    }
    text.push_str(&changes(&begun.missed));
    text.into()
}

fn changes(events: &[EventView]) -> String {
    let mut text = String::new();
    for event in events {
        // Writing into a text cannot fail.
        let _ = write!(text, "id: {}\nevent: change\ndata: {}\n\n", event.seq, json!(event));
    }
    text
}

fn reset(seq: u64) -> String {
    format!("id: {seq}\nevent: reset\ndata: {{\"seq\":{seq}}}\n\n")
}
