//! Load: so many connections, each sending its next request when the last is answered, for a fixed time.
//! One thread drives them all, so that the generator takes little of the machine it shares with the server.

use crate::Outcome;
use crate::client::Endpoint;
use crate::data::Numbers;
use kernel::Clock;
use serde::Serialize;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Before counting: caches fill, the actor is known.
pub(crate) const WARM_UP: Duration = Duration::from_millis(1_500);

/// What was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Figure {
    pub(crate) per_second: f64,
    pub(crate) median_micros: u64,
    pub(crate) p99_micros: u64,
    pub(crate) requests: usize,
    pub(crate) failed: usize,
}

impl Figure {
    /// From the times of all requests, in microseconds.
    pub(crate) fn of(mut micros: Vec<u64>, failed: usize, seconds: f64) -> Self {
        micros.sort_unstable();
        let at = |part: usize| micros.get(micros.len() * part / 100).or(micros.last()).copied().unwrap_or(0);
        let count = u32::try_from(micros.len()).unwrap_or(u32::MAX);
        Self {
            per_second: f64::from(count) / seconds.max(0.001),
            median_micros: at(50),
            p99_micros: at(99),
            requests: micros.len(),
            failed,
        }
    }
}

/// Writes one request into an empty buffer.
pub(crate) type Writer = Arc<dyn Fn(&mut Numbers, &mut Vec<u8>) + Send + Sync>;

struct Until {
    clock: Arc<dyn Clock>,
    counted: Duration,
    end: Duration,
}

/// Loads the server; more than one failed request in a thousand is an error.
pub(crate) fn load(
    endpoint: &Arc<Endpoint>,
    connections: usize,
    seconds: u64,
    clock: &Arc<dyn Clock>,
    write: &Writer,
) -> Outcome<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counted = clock.monotonic() + WARM_UP;
    let until = Rc::new(Until { clock: Arc::clone(clock), counted, end: counted + Duration::from_secs(seconds) });
    let local = tokio::task::LocalSet::new();
    let outcomes = local.block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for number in 0..connections {
            let seed = Numbers::new(0x10ad ^ u64::try_from(number).unwrap_or(0) ^ clock.monotonic().as_secs());
            tasks.spawn_local(one(Arc::clone(endpoint), Rc::clone(&until), Arc::clone(write), seed));
        }
        tasks.join_all().await
    });
    let (mut micros, mut failed, mut first) = (Vec::new(), 0, None);
    for outcome in outcomes {
        let (mine, mine_failed, mine_first) = outcome?;
        micros.extend(mine);
        failed += mine_failed;
        first = first.or(mine_first);
    }
    if failed * 1_000 > micros.len() {
        return Err(format!(
            "{failed} requests failed beside {} good ones; the first: {}",
            micros.len(),
            first.unwrap_or_default()
        )
        .into());
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of a measurement")]
    Ok(Figure::of(micros, failed, seconds as f64))
}

type Mine = (Vec<u64>, usize, Option<String>);

async fn one(endpoint: Arc<Endpoint>, until: Rc<Until>, write: Writer, mut numbers: Numbers) -> Outcome<Mine> {
    let mut connection = endpoint.connect().await?;
    let (mut micros, mut failed, mut first) = (Vec::new(), 0, None);
    let mut request = Vec::with_capacity(4_096);
    loop {
        if !connection.usable() {
            connection = endpoint.connect().await?;
        }
        request.clear();
        write(&mut numbers, &mut request);
        let began = until.clock.monotonic();
        if began >= until.end {
            return Ok((micros, failed, first));
        }
        let (status, _) = connection.call(&request).await?;
        let ended = until.clock.monotonic();
        if !(200..300).contains(&status) {
            failed += 1;
            first.get_or_insert_with(|| connection.last());
        } else if began >= until.counted && ended <= until.end {
            micros.push(u64::try_from((ended - began).as_micros()).unwrap_or(u64::MAX));
        }
    }
}
