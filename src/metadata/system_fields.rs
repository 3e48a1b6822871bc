//! The fields that every object has: owner, unit, team, who made and changed it. Defined once, so that filters, lists,
//! permissions and the table treat them like any other field.

use crate::{DeleteRule, FieldDef, FieldType, Sealing, Sensitivity};
use kernel::Label;

/// Names that no other field may take.
pub const SYSTEM_FIELD_NAMES: &[&str] = &[
    "id",
    "version",
    "number",
    "owner",
    "unit",
    "team",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "deleted_at",
    "deleted_by",
    "is_sample",
    "import_job",
    "locked_by",
    "lock_reason",
    "retention_until",
    "rid",
];

fn field(name: &str, en: &str, zh: &str, field_type: FieldType, read_only: bool, indexed: bool) -> FieldDef {
    FieldDef {
        name: name.to_owned(),
        label: Label::new(en, zh),
        field_type,
        sensitivity: Sensitivity::S1,
        sealing: Sealing::Plain,
        sealing_strict: None,
        parts: Vec::new(),
        key_class: None,
        mask: None,
        required: false,
        unique: false,
        searchable: false,
        indexed,
        read_only,
        default: None,
        help: None,
        aliases: Vec::new(),
        custom: false,
        retired: false,
        system: true,
    }
}

fn reference(target: &str) -> FieldType {
    FieldType::Reference { targets: vec![target.to_owned()], on_delete: DeleteRule::Unlink, parent: false }
}

/// The system fields in table order. `id` and `version` are columns of their own and not fields.
pub fn system_fields(numbered: bool) -> Vec<FieldDef> {
    let text = |max| FieldType::Text { max_chars: Some(max), case_fold: false };
    let mut fields = Vec::with_capacity(16);
    if numbered {
        let mut number = field("number", "Number", "编号", text(32), true, true);
        number.unique = true;
        number.searchable = true;
        fields.push(number);
    }
    fields.extend([
        field("owner", "Owner", "负责人", reference("user"), false, true),
        field("unit", "Unit", "所属机构", reference("unit"), false, true),
        field("team", "Team", "团队", reference("team"), false, true),
        field("created_at", "Created", "创建时间", FieldType::Timestamp, true, true),
        field("created_by", "Created by", "创建人", reference("user"), true, false),
        field("updated_at", "Changed", "修改时间", FieldType::Timestamp, true, true),
        field("updated_by", "Changed by", "修改人", reference("user"), true, false),
        field("deleted_at", "Deleted", "删除时间", FieldType::Timestamp, true, false),
        field("deleted_by", "Deleted by", "删除人", reference("user"), true, false),
        field("is_sample", "Sample data", "示例数据", FieldType::Bool, true, false),
        field("import_job", "Import", "导入批次", text(36), true, false),
        field("locked_by", "Locked by", "锁定人", reference("user"), true, false),
        field("lock_reason", "Reason of the lock", "锁定原因", text(200), true, false),
        field("retention_until", "Keep until", "保留至", FieldType::Date, true, false),
    ]);
    fields
}
