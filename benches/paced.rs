//! Load at a fixed pace, as people make it who do not wait for each other: so many requests a second, each sent when its time has
//! come and not when another was answered. A request that has to wait for a free connection counts from when it was due.

use crate::Outcome;
use crate::client::{Connection, Endpoint};
use crate::data::Numbers;
use crate::load::{Figure, Writer};
use kernel::Clock;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Before counting.
const WARM_UP: Duration = Duration::from_millis(1_500);

/// What a run is.
pub(crate) struct Pace<'a> {
    pub(crate) per_second: u64,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    /// Where the bodies' numbers of what was answered go, one a line, as soon as the answer is there.
    pub(crate) answered: Option<&'a Path>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    endpoint: Arc<Endpoint>,
    write: Writer,
    due: RefCell<VecDeque<Duration>>,
    done: RefCell<(Vec<u64>, usize)>,
    bell: tokio::sync::Notify,
    over: std::cell::Cell<bool>,
    counted: Duration,
    file: RefCell<Option<std::fs::File>>,
}

/// Runs it. It ends early, without an error, when the server goes away: somebody may have killed it.
pub(crate) fn paced(
    endpoint: &Arc<Endpoint>,
    pace: &Pace<'_>,
    clock: &Arc<dyn Clock>,
    write: &Writer,
) -> Outcome<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = clock.monotonic();
    let file = pace.answered.map(std::fs::File::create).transpose()?;
    let shared = Rc::new(Shared {
        clock: Arc::clone(clock),
        endpoint: Arc::clone(endpoint),
        write: Arc::clone(write),
        due: RefCell::default(),
        done: RefCell::default(),
        bell: tokio::sync::Notify::new(),
        over: std::cell::Cell::new(false),
        counted: begun + WARM_UP,
        file: RefCell::new(file),
    });
    let end = begun + WARM_UP + Duration::from_secs(pace.seconds);
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for number in 0..pace.connections {
            let seed = Numbers::new(
                0x9ace ^ u64::try_from(number).unwrap_or(0) ^ u64::try_from(begun.as_micros()).unwrap_or(0),
            );
            tasks.spawn_local(one(Rc::clone(&shared), seed));
        }
        let every = Duration::from_secs(1) / u32::try_from(pace.per_second.max(1)).unwrap_or(u32::MAX);
        let mut next = begun;
        while next < end && !shared.over.get() {
            let now = shared.clock.monotonic();
            while next <= now && next < end {
                shared.due.borrow_mut().push_back(next);
                shared.bell.notify_one();
                next += every;
            }
            tokio::time::sleep(next.saturating_sub(shared.clock.monotonic())).await;
        }
        shared.over.set(true);
        shared.bell.notify_waiters();
        for _ in 0..pace.connections {
            shared.bell.notify_one();
            tokio::task::yield_now().await;
        }
        let finish = async { while tasks.join_next().await.is_some() {} };
        // What is not answered in ten seconds is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(10), finish).await;
    });
    let (micros, failed) = shared.done.take();
    #[expect(clippy::cast_precision_loss, reason = "seconds of a measurement")]
    Ok(Figure::of(micros, failed, pace.seconds as f64))
}

async fn one(shared: Rc<Shared>, mut numbers: Numbers) {
    let mut connection: Option<Connection> = None;
    let mut request = Vec::with_capacity(4_096);
    loop {
        let due = shared.due.borrow_mut().pop_front();
        let Some(due) = due else {
            if shared.over.get() {
                return;
            }
            shared.bell.notified().await;
            continue;
        };
        if connection.as_ref().is_none_or(|open| !open.usable()) {
            let Ok(made) = shared.endpoint.connect().await else {
                shared.over.set(true);
                return;
            };
            connection = Some(made);
        }
        let Some(open) = connection.as_mut() else { return };
        request.clear();
        (shared.write)(&mut numbers, &mut request);
        let Ok((status, _)) = open.call(&request).await else {
            shared.over.set(true);
            return;
        };
        let ended = shared.clock.monotonic();
        if (200..300).contains(&status) {
            if let Some(file) = shared.file.borrow_mut().as_mut() {
                // The id of what was made: what is asked for in the restored database.
                let id = open.last().split_once("\"id\":\"").and_then(|(_, rest)| rest.get(..36).map(str::to_owned));
                let _ = writeln!(file, "{}", id.unwrap_or_default());
            }
            if due >= shared.counted {
                let micros = u64::try_from((ended.saturating_sub(due)).as_micros()).unwrap_or(u64::MAX);
                shared.done.borrow_mut().0.push(micros);
            }
        } else {
            shared.done.borrow_mut().1 += 1;
        }
    }
}
