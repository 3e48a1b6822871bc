//! Mail to administrators: alarms at once and a digest each day, through the one relay that the operator has named. What a
//! letter may say is fixed here: names of sets, targets and this machine, times and counts. It sees neither store nor records,
//! and no text of a record, a disk or a server comes into a letter. Nothing waits for it: a relay that fails is told.

mod alarms;
mod digest;
mod letter;
mod outbox;
mod relay;
mod words;

pub use alarms::{Alarm, AlarmKind, Alarms, Notice, Topic};
pub use digest::{Digest, FailedRun, LogState, Planned, Proven, TargetState};
pub use letter::{Letter, address_is_plain};
pub use outbox::{Outbox, OutboxStatus, Patience, Told};
pub use relay::{Access, Relay, RelaySettings, Security, SendError};
pub use words::{House, Language, alarm_letter, test_letter};
