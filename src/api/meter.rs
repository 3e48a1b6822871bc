//! Counts requests by the pattern of their route and measures how long answers take. It knows no address and nobody who asks.

use crate::exposition::Exposition;
use crate::route::{self, Route};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Classes of status: 1xx to 5xx.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Upper bounds of the histogram, in milliseconds.
const BOUNDS_MILLIS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];
/// Requests that no route is for.
const OTHER: (&str, &str) = ("other", "");

#[derive(Default)]
struct Line {
    classes: [AtomicU64; CLASSES.len()],
    buckets: [AtomicU64; BOUNDS_MILLIS.len() + 1],
    micros: AtomicU64,
}

/// The counters of a server; a line for each route, so their number is that of the routes.
pub(crate) struct Meter(BTreeMap<(&'static str, &'static str), Line>);

impl Meter {
    pub(crate) fn new() -> Self {
        let routes = route::all().map(|route| (route.path, route.verb.name()));
        Self(routes.chain([OTHER]).map(|key| (key, Line::default())).collect())
    }

    /// Counts an answer.
    pub(crate) fn note(&self, route: Option<&Route>, status: u16, took: Duration) {
        let key = route.map_or(OTHER, |route| (route.path, route.verb.name()));
        let Some(line) = self.0.get(&key) else { return };
        let add = |counter: Option<&AtomicU64>, more| counter.map(|counter| counter.fetch_add(more, Ordering::Relaxed));
        add(line.classes.get(usize::from(status / 100).saturating_sub(1)), 1);
        let millis = u64::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MILLIS.iter().position(|bound| millis <= *bound).unwrap_or(BOUNDS_MILLIS.len());
        add(line.buckets.get(bucket), 1);
        add(Some(&line.micros), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Tells what was counted. Routes that nobody has asked are left out.
    pub(crate) fn tell(&self, page: &mut Exposition) {
        let name = "kontor_http_requests_total";
        page.family(name, "counter", "Answers by route, method and class of status.");
        for ((path, method), line) in &self.0 {
            for (class, counter) in CLASSES.iter().zip(&line.classes) {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    page.sample(name, &[("route", path), ("method", method), ("status", class)], figure(count));
                }
            }
        }
        let name = "kontor_http_request_duration_seconds";
        page.family(name, "histogram", "How long answers took until their head was ready.");
        for ((path, method), line) in &self.0 {
            self.histogram(page, name, [("route", path), ("method", method)], line);
        }
    }

    fn histogram(&self, page: &mut Exposition, name: &str, [route, method]: [(&str, &str); 2], line: &Line) {
        let counts: Vec<u64> = line.buckets.iter().map(|counter| counter.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return;
        }
        let bounds = BOUNDS_MILLIS.iter().map(|millis| (figure(*millis) / 1_000.0).to_string());
        let mut below = 0;
        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(counts) {
            below += count;
            page.sample(&format!("{name}_bucket"), &[route, method, ("le", &bound)], figure(below));
        }
        let seconds = figure(line.micros.load(Ordering::Relaxed)) / 1_000_000.0;
        page.sample(&format!("{name}_sum"), &[route, method], seconds);
        page.sample(&format!("{name}_count"), &[route, method], figure(total));
    }
}

/// What Prometheus calculates with.
#[expect(clippy::cast_precision_loss, reason = "the format has floats; counters beyond 2^53 may be off by some")]
pub(crate) fn figure(number: u64) -> f64 {
    number as f64
}
