//! An answer on its way: awaited by the server, waited for by the command line.

use crate::Shown;
use kernel::Fault;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use store::{Durable, Ticket};
use tokio::sync::oneshot;

fn lost() -> Fault {
    Fault::internal("work in the background ended without an answer")
}

enum Way<T> {
    Disclosed(Ticket<Durable<T>>),
    Written(Ticket<T>),
    Background(oneshot::Receiver<Result<T, Fault>>),
    Known(Option<Fault>),
}

/// An answer that comes once the log knows of it.
#[must_use]
pub struct Pending<T>(Way<T>);

impl<T> Pending<T> {
    pub(crate) fn disclosed(ticket: Ticket<Durable<T>>) -> Self {
        Self(Way::Disclosed(ticket))
    }
    /// The answer of a change: its entry is part of the same transaction.
    pub(crate) fn written(ticket: Ticket<T>) -> Self {
        Self(Way::Written(ticket))
    }
    /// The answer of work that waits for many tickets; it gets a thread of its own, so that it blocks no reader.
    pub(crate) fn in_background(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Self
    where
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let spawned = std::thread::Builder::new().name("bulk".to_owned()).spawn(move || {
            // Nobody may be waiting any more; the work is done all the same.
            let _ = sender.send(work());
        });
        match spawned {
            Ok(_) => Self(Way::Background(receiver)),
            Err(error) => Self::failed(Fault::internal(error)),
        }
    }
    pub(crate) fn failed(fault: Fault) -> Self {
        Self(Way::Known(Some(fault)))
    }
    /// Blocks until the answer is there. Not for the event loop.
    pub fn wait(self) -> Result<Shown<T>, Fault> {
        match self.0 {
            Way::Disclosed(ticket) => ticket.wait().map(|durable| Shown(durable.into_inner())),
            Way::Written(ticket) => ticket.wait().map(Shown),
            Way::Background(receiver) => receiver.blocking_recv().unwrap_or_else(|_| Err(lost())).map(Shown),
            Way::Known(fault) => Err(fault.unwrap_or_else(|| Fault::internal("an answer was asked for twice"))),
        }
    }
}

impl<T: Unpin> Future for Pending<T> {
    type Output = Result<Shown<T>, Fault>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Way::Disclosed(ticket) => {
                Pin::new(ticket).poll(context).map(|outcome| outcome.map(|durable| Shown(durable.into_inner())))
            }
            Way::Written(ticket) => Pin::new(ticket).poll(context).map(|outcome| outcome.map(Shown)),
            Way::Background(receiver) => {
                Pin::new(receiver).poll(context).map(|outcome| outcome.unwrap_or_else(|_| Err(lost())).map(Shown))
            }
            Way::Known(fault) => {
                Poll::Ready(Err(fault.take().unwrap_or_else(|| Fault::internal("an answer was asked for twice"))))
            }
        }
    }
}
