//! Bodies that never lie in memory whole: files on their way in, handed on piece by piece as they come, and files on their
//! way out, read as the reader takes them. A slow peer holds no thread, and a broken file breaks the answer off.

use crate::call::{Call, blocking};
use actix_web::body::{BodySize, BodyStream, MessageBody};
use actix_web::rt::task::{JoinHandle, spawn_blocking};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use kernel::{Code, Fault, Outcome, limits};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes that are handed on together.
const PIECE: usize = 256 * 1024;

/// Where a body goes.
pub(crate) trait Sink: Send + 'static {
    /// Takes the next bytes. May block.
    fn take(&mut self, bytes: &[u8]) -> Outcome<()>;
}

/// Moves the body of a request into a sink, off the event loop. `limit` names the largest size with its value.
pub(crate) async fn receive<S: Sink>(call: &mut Call, sink: S, limit: (&str, u64)) -> Outcome<S> {
    if call.announced()?.is_some_and(|bytes| bytes > limit.1) {
        let detail = format!("A file may have at most {} bytes (limit {}).", limit.1, limit.0);
        return Err(Fault::new(Code::LimitExceeded, detail));
    }
    let seconds = Duration::from_secs(limits::UPLOAD_SECONDS_MAX);
    let slow = |_| Fault::new(Code::BadRequest, "The file came too slowly (limit UPLOAD_SECONDS_MAX).");
    timeout(seconds, pieces(call, sink)).await.map_err(slow)?
}

async fn pieces<S: Sink>(call: &mut Call, mut sink: S) -> Outcome<S> {
    let payload = call.payload.take().ok_or_else(|| Fault::internal("a body was read twice"))?;
    let mut body = pin!(BodyStream::new(payload));
    let mut piece = BytesMut::with_capacity(PIECE);
    loop {
        let next = poll_fn(|context| body.as_mut().poll_next(context)).await;
        let ended = next.is_none();
        if let Some(bytes) = next {
            let bytes = bytes.map_err(|_| Fault::new(Code::BadRequest, "The body could not be read to its end."))?;
            piece.extend_from_slice(&bytes);
        }
        if piece.len() >= PIECE || (ended && !piece.is_empty()) {
            let full = piece.split();
            sink = blocking(move || sink.take(&full).map(|()| sink)).await?;
        }
        if ended {
            return Ok(sink);
        }
    }
}

type Source = Box<dyn Read + Send>;

enum State {
    Idle(Source),
    Reading(JoinHandle<(Source, io::Result<Bytes>)>),
    Ended,
}

/// A file as the body of an answer.
pub(crate) struct FileBody {
    size: Option<u64>,
    state: State,
}

impl FileBody {
    /// The body of `size` bytes, or of as many as come.
    pub(crate) fn new(size: Option<u64>, source: Source) -> Self {
        Self { size, state: State::Idle(source) }
    }
}

impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody").field("size", &self.size).finish_non_exhaustive()
    }
}

fn read_piece(mut source: Source) -> (Source, io::Result<Bytes>) {
    let mut piece = Vec::with_capacity(PIECE);
    let most = u64::try_from(PIECE).unwrap_or(u64::MAX);
    let read = (&mut source).take(most).read_to_end(&mut piece);
    (source, read.map(|_| Bytes::from(piece)))
}

impl MessageBody for FileBody {
    type Error = io::Error;
    fn size(&self) -> BodySize {
        self.size.map_or(BodySize::Stream, BodySize::Sized)
    }
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(source) => self.state = State::Reading(spawn_blocking(move || read_piece(source))),
                State::Reading(mut reading) => {
                    let Poll::Ready(done) = Pin::new(&mut reading).poll(context) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (source, piece) = match done {
                        Ok(done) => done,
                        Err(error) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                    };
                    return Poll::Ready(match piece {
                        Ok(piece) if piece.is_empty() => None,
                        Ok(piece) => {
                            self.state = State::Idle(source);
                            Some(Ok(piece))
                        }
                        Err(error) => {
                            tracing::error!(%error, "a stored file is damaged; the answer was broken off");
                            Some(Err(error))
                        }
                    });
                }
            }
        }
    }
}
