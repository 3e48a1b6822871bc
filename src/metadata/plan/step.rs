//! What running a plan does, in the words of neither engine, and what it costs. Describes; never runs.

use crate::Column;
use kernel::Label;
use serde::{Serialize, Serializer};

/// What one step costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// The same at any number of rows.
    Instant,
    /// Takes time in proportion to so many rows.
    Rows(u64),
}

/// What one step does. Steps run in order, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum StepAction {
    /// Makes the table of a new object with all columns and indexes of its definition.
    CreateTable {
        /// The object.
        object: String,
    },
    /// Makes the full-text table of an object.
    CreateSearchTable {
        /// The object.
        object: String,
    },
    /// Adds an empty column.
    AddColumn {
        /// The object.
        object: String,
        /// The field it belongs to.
        field: String,
        /// The column; on the wire its name.
        #[serde(serialize_with = "column_name")]
        column: Column,
    },
    /// Computes a sort-key column from the plain column of the same field.
    FillSortKey {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The column to fill; on the wire its name.
        #[serde(serialize_with = "column_name")]
        column: Column,
    },
    /// Makes one index of [`crate::indexes_of`].
    CreateIndex {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The indexed columns in order.
        columns: Vec<String>,
        /// Whether live rows may not share a value.
        unique: bool,
    },
    /// Makes the table of a many-to-many relation.
    CreateLinkTable {
        /// The object that defines it.
        object: String,
        /// The relation.
        link: String,
        /// The table.
        table: String,
    },
    /// Enters the existing values of a field into the full-text table.
    FillSearch {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// Takes the values of a field out of the full-text table.
    ClearSearch {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// Arranges the pages of an object; touches no record.
    ArrangeLayout {
        /// The object.
        object: String,
        /// Sections of the layout in force afterwards.
        sections: usize,
        /// Whether it goes back to the standard.
        standard: bool,
    },
    /// Stores the new definition; from here on it holds.
    UpdateDefinition {
        /// The object.
        object: String,
    },
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does.
    #[serde(flatten)]
    pub action: StepAction,
    /// What it costs.
    pub cost: Cost,
    /// The same for people.
    pub text: Label,
}

impl StepAction {
    /// The object it is about.
    pub fn object(&self) -> &str {
        match self {
            Self::CreateTable { object }
            | Self::CreateSearchTable { object }
            | Self::AddColumn { object, .. }
            | Self::FillSortKey { object, .. }
            | Self::CreateIndex { object, .. }
            | Self::CreateLinkTable { object, .. }
            | Self::FillSearch { object, .. }
            | Self::ClearSearch { object, .. }
            | Self::ArrangeLayout { object, .. }
            | Self::UpdateDefinition { object } => object,
        }
    }
    /// Whether it takes time in proportion to the rows of its object.
    pub(super) fn looks_at_rows(&self) -> bool {
        matches!(
            self,
            Self::FillSortKey { .. } | Self::CreateIndex { .. } | Self::FillSearch { .. } | Self::ClearSearch { .. }
        )
    }
}

fn column_name<S: Serializer>(column: &Column, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&column.name)
}

impl Step {
    pub(super) fn new(action: StepAction, rows: u64) -> Self {
        let (en, zh) = words(&action);
        let (cost, en, zh) = if rows > 0 {
            let time = format!("{en} This takes time in proportion to {rows} records.");
            (Cost::Rows(rows), time, format!("{zh}所需时间与 {rows} 条记录成正比。"))
        } else {
            (Cost::Instant, en, zh)
        };
        Self { action, cost, text: Label::new(en, zh) }
    }
}

/// The sentence in both languages.
fn words(action: &StepAction) -> (String, String) {
    match action {
        StepAction::CreateTable { object } => (format!("Makes the table {object}."), format!("创建数据表 {object}。")),
        StepAction::CreateSearchTable { object } => {
            (format!("Makes the search index of {object}."), format!("为 {object} 创建搜索索引。"))
        }
        StepAction::AddColumn { object, column, .. } => (
            format!("Adds the empty column {} to {object}.", column.name),
            format!("在 {object} 中添加空列 {}。", column.name),
        ),
        StepAction::FillSortKey { object, field, .. } => {
            (format!("Computes the sort keys of {object}.{field}."), format!("计算 {object}.{field} 的排序键。"))
        }
        StepAction::CreateIndex { object, field, unique, .. } => {
            let (en, zh) = if *unique { ("a unique index", "唯一索引") } else { ("an index", "索引") };
            (format!("Makes {en} of {object}.{field}."), format!("为 {object}.{field} 创建{zh}。"))
        }
        StepAction::CreateLinkTable { table, .. } => {
            (format!("Makes the table {table} of the relation."), format!("创建关系表 {table}。"))
        }
        StepAction::FillSearch { object, field } => {
            (format!("Makes {object}.{field} searchable."), format!("使 {object}.{field} 可被搜索。"))
        }
        StepAction::ClearSearch { object, field } => {
            (format!("Takes {object}.{field} out of the search."), format!("将 {object}.{field} 移出搜索。"))
        }
        StepAction::ArrangeLayout { object, standard: true, .. } => (
            format!("Takes the layout of {object} back to the standard."),
            format!("将 {object} 的布局恢复为标准布局。"),
        ),
        StepAction::ArrangeLayout { object, sections, .. } => (
            format!("Arranges the pages of {object} in {sections} sections."),
            format!("将 {object} 的页面排列为 {sections} 个分区。"),
        ),
        StepAction::UpdateDefinition { object } => {
            (format!("Stores the new definition of {object}."), format!("保存 {object} 的新定义。"))
        }
    }
}
