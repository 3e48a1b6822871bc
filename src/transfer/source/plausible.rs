//! Which legacy encoding makes sense of the bytes: GB18030, Big5 or a single-byte one. The Chinese sets were laid out by
//! frequency: GB 2312 and Big5 both keep the characters people really use in a first level, so text read in the right
//! encoding falls there and text read in the wrong one falls outside. Never decides on "it decodes" alone.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, WINDOWS_1252};

/// The verdict and its grounds.
pub(crate) struct Judgement {
    /// The most plausible encoding.
    pub(crate) encoding: &'static Encoding,
    /// Whether it is far ahead of the next.
    pub(crate) sure: bool,
    /// The grounds, in words.
    pub(crate) how: String,
}

/// What a detector made for web pages adds to the encoding it names.
const DETECTOR_BONUS: f64 = 0.15;

/// Judges bytes that are known not to be UTF-8.
pub(crate) fn judge(evidence: &[u8], complete: bool) -> Judgement {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(evidence, complete);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let guess = if guess == GBK { GB18030 } else { guess };
    let bonus = |encoding: &'static Encoding| if guess == encoding { DETECTOR_BONUS } else { 0.0 };
    let mut scores = [
        (GB18030, gb18030(evidence) + bonus(GB18030)),
        (BIG5, big5(evidence) + bonus(BIG5)),
        (WINDOWS_1252, western(evidence) + if guess.is_single_byte() { DETECTOR_BONUS } else { 0.0 }),
    ];
    scores.sort_by(|one, other| other.1.total_cmp(&one.1));
    let [(best, first), (next, second), _] = scores;
    let beyond_ascii = evidence.iter().filter(|byte| !byte.is_ascii()).count();
    // Our own scores cannot tell Polish from French; the detector can, given a few letters.
    let encoding = match best {
        _ if first < 0.6 => guess,
        _ if best == WINDOWS_1252 && guess.is_single_byte() && beyond_ascii >= 12 => guess,
        _ => best,
    };
    let percent = |score: f64| format!("{:.0} %", (score * 100.0).clamp(0.0, 100.0));
    let how = format!(
        "not UTF-8; {} bytes beyond ASCII read as {} are {} plausible, as {} {}",
        beyond_ascii,
        best.name(),
        percent(first),
        next.name(),
        percent(second)
    );
    Judgement { encoding, sure: encoding == best && first >= 0.85 && first - second >= 0.15, how }
}

/// The mean of the marks given to each character beyond ASCII; nothing to judge is no plausibility.
fn mean(marks: f64, count: u32) -> f64 {
    if count == 0 { 0.0 } else { marks / f64::from(count) }
}

/// Walks two-byte characters. `mark` gets lead and trail and gives points, or `None` for an impossible pair.
fn double_byte(bytes: &[u8], mark: impl Fn(u8, u8) -> Option<f64>) -> f64 {
    let (mut marks, mut count) = (0.0, 0_u32);
    let mut rest = bytes;
    while let Some((lead, after)) = rest.split_first() {
        rest = after;
        if lead.is_ascii() {
            continue;
        }
        let Some((trail, following)) = after.split_first() else { break };
        count = count.saturating_add(1);
        if let Some(points) = mark(*lead, *trail) {
            marks += points;
            rest = following;
        } else {
            marks -= 1.0;
        }
    }
    mean(marks, count)
}

fn gb18030(bytes: &[u8]) -> f64 {
    double_byte(bytes, |lead, trail| match (lead, trail) {
        // GB 2312: symbols and full-width forms, level 1 by frequency, level 2.
        (0xA1..=0xA3 | 0xB0..=0xD7, 0xA1..=0xFE) => Some(1.0),
        (0xD8..=0xF7, 0xA1..=0xFE) => Some(0.4),
        // First half of a four-byte character, then the rest of GBK.
        (0x81..=0xFE, 0x30..=0x39) => Some(0.2),
        (0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE) => Some(0.0),
        _ => None,
    })
}

fn big5(bytes: &[u8]) -> f64 {
    double_byte(bytes, |lead, trail| match (lead, trail) {
        (0xA1..=0xC6, 0x40..=0x7E | 0xA1..=0xFE) => Some(1.0),
        (0xC9..=0xF9, 0x40..=0x7E | 0xA1..=0xFE) => Some(0.3),
        (0x81..=0xFE, 0x40..=0x7E | 0xA1..=0xFE) => Some(0.0),
        _ => None,
    })
}

/// Western text has single accented letters among ASCII letters, seldom two in a row.
fn western(bytes: &[u8]) -> f64 {
    let (mut marks, mut count) = (0.0, 0_u32);
    let beyond = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii());
    for (index, byte) in bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        let before = index.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(index.saturating_add(1));
        let letter = matches!(byte, 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0xFF);
        let beside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
        let symbol = matches!(
            byte,
            0x80 | 0x85 | 0x91..=0x97 | 0x99 | 0xA0 | 0xA1 | 0xA3 | 0xA7..=0xAB | 0xAE | 0xB0..=0xB4 | 0xB7..=0xBF
        );
        count = count.saturating_add(1);
        marks += match (beyond(before), beyond(after)) {
            (true, true) => 0.0,
            (true, false) | (false, true) => 0.4,
            _ if matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D) => -1.0,
            _ if letter && (beside(before) || beside(after)) => 1.0,
            _ if symbol => 0.8,
            _ => 0.5,
        };
    }
    mean(marks, count)
}
