//! Which days of the past year things happened on: growth over the year, seasons, hardly anything at weekends.
//! Knows no time zone database: office hours are fixed offsets from UTC, near enough for a sample.

use crate::random::Random;
use kernel::Timestamp;

const DAY_SECONDS: i64 = 86_400;
/// The span of the sample.
pub(crate) const YEAR_DAYS: u32 = 365;
/// Relative business of the months from January: quiet in February (Spring Festival) and August.
const SEASON: [u64; 12] = [95, 60, 115, 100, 92, 118, 86, 74, 112, 88, 122, 108];
/// Seconds of one of the six parts of a working day.
const WATCH_SECONDS: u64 = 4_800;

/// The sample's instant and the density of its days.
pub(crate) struct Calendar {
    now: Timestamp,
    midnight: Timestamp,
    /// Sum of the weights of the days 0 ..= position.
    cumulative: Vec<u64>,
}

impl Calendar {
    pub(crate) fn new(now: Timestamp) -> Self {
        let midnight = Timestamp::from_micros(now.micros() - now.micros().rem_euclid(DAY_SECONDS * 1_000_000));
        let mut calendar = Self { now, midnight, cumulative: Vec::with_capacity(YEAR_DAYS as usize) };
        let mut total = 0;
        for day in 0..YEAR_DAYS {
            total += calendar.weight(day);
            calendar.cumulative.push(total);
        }
        calendar
    }

    fn weight(&self, day: u32) -> u64 {
        let month = self.start(i64::from(day)).date().format("%m").to_string().parse::<usize>().unwrap_or(1);
        let season = SEASON.get(month.saturating_sub(1)).copied().unwrap_or(100);
        let growth = 60 + 80 * u64::from(YEAR_DAYS - day) / u64::from(YEAR_DAYS);
        let weekday = if self.weekday(i64::from(day)) >= 5 { 6 } else { 100 };
        season * growth * weekday
    }

    /// Midnight UTC this many days ago; negative: days ahead.
    fn start(&self, days_ago: i64) -> Timestamp {
        self.midnight.plus_seconds(-days_ago * DAY_SECONDS)
    }

    /// 0 is Monday. The epoch was a Thursday.
    fn weekday(&self, days_ago: i64) -> i64 {
        (self.start(days_ago).micros().div_euclid(DAY_SECONDS * 1_000_000) + 3).rem_euclid(7)
    }

    /// This many days of the year, oldest first, spread by the density with a little chance in it.
    pub(crate) fn days(&self, random: &mut Random, count: u64) -> Vec<u32> {
        let total = self.cumulative.last().copied().unwrap_or(0);
        let mut days: Vec<u32> = (0..count)
            .map(|slot| {
                let (from, to) = (total * slot / count, total * (slot + 1) / count);
                let at = from + random.below(to - from);
                let day = self.cumulative.partition_point(|sum| *sum <= at);
                u32::try_from(day).unwrap_or(0).min(YEAR_DAYS - 1)
            })
            .collect();
        days.reverse();
        days
    }

    /// The date this many days ago, on the wire.
    pub(crate) fn date(&self, days_ago: i64) -> String {
        self.start(days_ago).date().format("%Y-%m-%d").to_string()
    }

    /// The nearest working day not before this one.
    pub(crate) fn workday(&self, days_ago: i64) -> i64 {
        match self.weekday(days_ago) {
            5 => days_ago - 2,
            6 => days_ago - 1,
            _ => days_ago,
        }
    }

    /// An instant in the office hours of that day, in Shanghai (`zh`) or Lübeck. `watch` is the part of the working
    /// day, 0 to 5: things that build on others take a later one.
    pub(crate) fn instant(&self, random: &mut Random, days_ago: i64, zh: bool, watch: u64) -> Timestamp {
        let opening: u64 = if zh { 3_600 } else { 25_200 };
        // Minutes are enough: people do not write down seconds.
        let second = (opening + watch.min(5) * WATCH_SECONDS + random.below(WATCH_SECONDS)) / 60 * 60;
        self.start(days_ago).plus_seconds(second as i64)
    }

    /// The same, but never later than the sample's instant: for what has happened.
    pub(crate) fn past(&self, random: &mut Random, days_ago: i64, zh: bool, watch: u64) -> Timestamp {
        self.instant(random, days_ago.max(0), zh, watch).min(self.now)
    }

    /// Not later than the sample's instant.
    pub(crate) fn at_most_now(&self, at: Timestamp) -> Timestamp {
        at.min(self.now)
    }
}
