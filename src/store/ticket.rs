//! Answers that come later: a ticket can be awaited or waited for, and a durable answer cannot be had before its audit
//! entry is on disk.

use crate::StoreError;
use kernel::{Code, Fault};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// An answer that will come.
#[must_use]
pub struct Ticket<T>(oneshot::Receiver<Result<T, Fault>>);

/// Where the answer is put.
pub(crate) struct Answer<T>(oneshot::Sender<Result<T, Fault>>);

impl<T> Answer<T> {
    /// Nobody may be waiting any more; that is no error.
    pub(crate) fn send(self, outcome: Result<T, Fault>) {
        let _ = self.0.send(outcome);
    }
}

fn lost() -> Fault {
    Fault::new(Code::Unavailable, "The appliance could not finish this; nothing was disclosed. Try again in a moment.")
}

impl<T> Ticket<T> {
    pub(crate) fn new() -> (Answer<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(receiver))
    }
    /// This ticket, or one that fails at once when the work could not be queued.
    pub(crate) fn unless(self, sent: Result<(), StoreError>) -> Self {
        match sent {
            Ok(()) => self,
            Err(error) => {
                let (answer, ticket) = Self::new();
                answer.send(Err(error.into()));
                ticket
            }
        }
    }
    /// Blocks until the answer is there. Not for the event loop.
    pub fn wait(self) -> Result<T, Fault> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(lost()))
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, Fault>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or_else(|_| Err(lost())))
    }
}

/// An answer whose audit entries are on disk. Only the store makes one.
/// ```compile_fail
/// let shown = store::Durable("a customer");
/// ```
pub struct Durable<T>(pub(crate) T);

impl<T> Durable<T> {
    /// The answer; from here it may leave the server.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// A unit of work that was refused: what the person hears, and what the log keeps.
pub struct Refused {
    /// For the person.
    pub fault: Fault,
    /// For the log.
    pub entry: Option<Box<audit::Entry>>,
}

impl Refused {
    /// A refusal that the log keeps.
    pub fn logged(fault: Fault, entry: audit::Entry) -> Self {
        Self { fault, entry: Some(Box::new(entry)) }
    }
}
impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, entry: None }
    }
}
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Fault::from(error).into()
    }
}
impl From<vault::VaultError> for Refused {
    fn from(error: vault::VaultError) -> Self {
        Fault::from(error).into()
    }
}
