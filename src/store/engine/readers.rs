//! Readers beside the writer: a fixed number of threads, each with a connection of its own, fed from one queue.
//! Threads of our own keep blocking queries off the event loop and out of any async context.

use super::{Access, Conn, EngineConfig, Line};
use crate::StoreError;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Something to do with a reader's connection.
pub(crate) type Task = Box<dyn FnOnce(&mut Conn) + Send>;

/// The handle to the readers.
pub(crate) struct Readers {
    queue: Option<Sender<Task>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts this many threads.
    pub(crate) fn start(config: &EngineConfig, count: usize) -> Result<Self, StoreError> {
        let (queue, tasks) = channel::<Task>();
        let tasks = Arc::new(Mutex::new(tasks));
        let mut threads = Vec::with_capacity(count);
        for number in 0..count {
            let line = Line::open(config, Access::Read)?;
            let tasks = Arc::clone(&tasks);
            let thread = std::thread::Builder::new()
                .name(format!("reader-{number}"))
                .spawn(move || run(line, &tasks))
                .map_err(|error| StoreError::config(format!("cannot start a reader: {error}")))?;
            threads.push(thread);
        }
        Ok(Self { queue: Some(queue), threads })
    }
    /// Queues a task.
    pub(crate) fn send(&self, task: Task) -> Result<(), StoreError> {
        self.queue.as_ref().ok_or(StoreError::Closed)?.send(task).map_err(|_| StoreError::Closed)
    }
    /// Lets the queue run dry and joins the threads.
    pub(crate) fn stop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn run(mut line: Line, tasks: &Mutex<Receiver<Task>>) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else { return };
        match line.live() {
            Ok(conn) => task(conn),
            // Dropping the task drops its answer channel; the caller reads that as "not done".
            Err(_) => drop(task),
        }
    }
}
