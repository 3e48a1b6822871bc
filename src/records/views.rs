//! What goes over the wire: requests of the verbs and the reduced forms of records. A view is built only from values that
//! a grant allowed, and serialises only inside [`Shown`].

use kernel::{RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// How a list counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountMode {
    /// Not at all.
    #[default]
    None,
    /// Up to 10,000, then "more".
    Estimate,
    /// All, however long it takes.
    Exact,
}

/// A list, as asked for. The same in a query string and in a body.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListRequest {
    /// The filter tree.
    pub filter: Option<Json>,
    /// Fields to sort by, `-` for descending.
    pub sort: Vec<String>,
    /// Fields to show, related ones as `account.name`; the object's own when absent.
    pub fields: Option<Vec<String>>,
    /// Rows of the page.
    pub limit: Option<usize>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Whether to count.
    pub count: CountMode,
    /// Search text.
    pub q: Option<String>,
    /// List the recycle bin.
    pub deleted: bool,
}

/// One record as its reader may see it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct RecordView {
    /// Its id.
    pub id: RecordId,
    /// The object.
    pub object: String,
    /// Its version, also the ETag.
    pub version: i64,
    /// Whether it lies in the recycle bin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The record that this one was merged into, where the reader sees that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RecordId>,
    /// Values by field, related ones as `account.name`; fields without a right to see are absent.
    pub fields: Map<String, Json>,
    /// Fields whose value is shown behind a mask (a text), or only by its existence (`true` or `false`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub reduced: Map<String, Json>,
}

/// One page of records.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct ListView {
    /// The records.
    pub items: Vec<RecordView>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
    /// How many there are, when asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether there are more than `count` says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub count_is_minimum: bool,
}

/// Hits of a search in one object.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct SearchGroup {
    /// The object.
    pub object: String,
    /// The newest hits.
    pub items: Vec<RecordView>,
    /// Whether there are more.
    pub more: bool,
}

/// Hits of a search, by object.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct SearchView {
    /// Objects with hits.
    pub groups: Vec<SearchGroup>,
}

/// One field in the history.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct MoveView {
    /// The field.
    pub field: String,
    /// The value before: clear or masked as the reader may see the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// The value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
    /// Whether the values are masked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
    /// Whether the values were not kept, may not be seen, or their key was destroyed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// One act in the history.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct ActView {
    /// Its number in the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The verb.
    pub verb: &'static str,
    /// Who.
    pub user: Option<RecordId>,
    /// Through which door.
    pub channel: &'static str,
    /// The relation and role of a link.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What moved.
    pub changes: Vec<MoveView>,
}

/// The history of a record.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct HistoryView {
    /// Acts, newest first.
    pub items: Vec<ActView>,
    /// Pass as `before` to see older ones.
    pub next: Option<u64>,
}

/// One link, seen from one end.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct LinkView {
    /// Its role.
    pub role: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The record at the other end.
    pub record: RecordView,
}

/// The links of a record in one relation.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct LinksView {
    /// The links whose other end the reader may see, newest first.
    pub items: Vec<LinkView>,
}

/// What to do to many records.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum BulkAction {
    /// Set these fields.
    Update {
        /// The values.
        fields: Map<String, Json>,
    },
    /// Hand over.
    Assign {
        /// The new owner.
        owner: RecordId,
    },
    /// Put into the recycle bin.
    Delete,
    /// Take out of the recycle bin.
    Restore,
    /// Add a tag.
    Tag {
        /// The tag.
        tag: RecordId,
    },
    /// Take a tag away.
    Untag {
        /// The tag.
        tag: RecordId,
    },
}

/// A bulk change: an action on named records or on all that match a filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// The action.
    pub change: BulkAction,
    /// The records.
    #[serde(default)]
    pub ids: Vec<RecordId>,
    /// Or those that match.
    #[serde(default)]
    pub filter: Option<Json>,
    /// And those that a search text finds.
    #[serde(default)]
    pub q: Option<String>,
}

impl BulkRequest {
    /// Whether records are chosen by a condition, and not named.
    pub(crate) fn selects(&self) -> bool {
        self.filter.is_some() || self.q.as_deref().is_some_and(|q| !q.trim().is_empty())
    }
}

/// How a bulk change ended for one record.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BulkOutcome {
    /// It was changed.
    Done,
    /// It was so already.
    Same,
    /// It was left as it is; code and detail say why.
    Failed,
}

impl BulkOutcome {
    /// The name on the wire and in the table of results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Same => "same",
            Self::Failed => "failed",
        }
    }
}

/// What became of one record of a bulk change.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct BulkRow {
    /// The record.
    pub id: RecordId,
    /// How it ended.
    pub outcome: BulkOutcome,
    /// The version now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<kernel::Code>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The result of a bulk change, row by row.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct BulkView {
    /// How many were changed.
    pub done: usize,
    /// How many failed.
    pub failed: usize,
    /// One row per record, in the order of the request.
    pub rows: Vec<BulkRow>,
}

/// An answer whose audit entry is on disk. The only thing of this crate that serialises.
#[derive(Debug)]
pub struct Shown<T>(pub(crate) T);

impl<T> Shown<T> {
    /// A look at it, for headers such as the ETag.
    pub fn view(&self) -> &T {
        &self.0
    }
    /// Takes it out.
    pub fn into_view(self) -> T {
        self.0
    }
}

impl<T: Serialize> Serialize for Shown<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
