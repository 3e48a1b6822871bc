//! The engine's idea of data: objects, fields and relations as definitions, values checked against them,
//! changes of definitions planned before they run. Pure: it never reads a database, a file or a clock.

mod address;
mod catalog;
mod column;
mod definition;
mod draft;
mod field_type;
mod field_wire;
mod fold;
mod index;
mod layout;
mod mask;
mod plan;
mod search_tokens;
mod standard;
mod system_fields;
mod value;
mod value_parse;

pub use address::{Address, REGION_PARTS};
pub use catalog::{Catalog, CatalogError, Relation};
pub use column::{Column, ColumnRole, ColumnType, sort_key};
pub use definition::{
    DeleteRule, FieldDef, IndexPart, KeyClass, LinkDef, Mask, NumberDef, ObjectDef, ObjectKind, Profile, STAGE_SINCE,
    Sealing, Sensitivity, Serial, Subject,
};
pub use draft::{Checked, Mode};
pub use field_type::{EnumOption, FieldType};
pub use field_wire::FieldDraft;
pub use index::{IndexDef, indexes_of, is_sparse};
pub use layout::{LayoutDef, LayoutSection};
pub use mask::mask;
pub use plan::{
    Cost, DefinitionChange, FieldPatch, ObjectDraft, ObjectPatch, OptionPatch, Plan, Step, StepAction, complete_label,
    name_problem, plan,
};
pub use search_tokens::{QueryToken, encode_token, index_tokens, query_tokens};
pub use standard::{OBJECT_SCHEMA, shipped};
pub use system_fields::{SYSTEM_FIELD_NAMES, system_fields};
pub use value::{Value, ValueError};
pub use value_parse::parse_value;
