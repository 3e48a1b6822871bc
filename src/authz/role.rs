//! A role as data: rights on objects with a width, levels on fields, rights to acts of the appliance, and what it forbids.
//! Shipped roles are JSON files of this shape. Never decides anything.

use crate::Level;
use kernel::Label;
use metadata::Sensitivity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one can do to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// See it: in a list, opened, found, in a history.
    Read,
    /// Make a new one.
    Create,
    /// Change its values and links.
    Update,
    /// Put it into the recycle bin and take it out again.
    Delete,
    /// Give it to another owner, unit or team.
    Assign,
    /// See a masked value in clear, stating a purpose.
    Reveal,
}

impl Verb {
    /// All of them, in the order in which people meet them.
    pub const ALL: [Self; 6] = [Self::Read, Self::Create, Self::Update, Self::Delete, Self::Assign, Self::Reveal];
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Assign => "assign",
            Self::Reveal => "reveal",
        }
    }
}

/// Which records a right reaches. Widths of several roles add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ScopeWidth {
    /// None.
    #[default]
    None,
    /// Records one owns.
    Own,
    /// Records of one's teams and of their members.
    Team,
    /// Records of one's unit.
    Unit,
    /// Records of one's unit and every unit under it.
    UnitAndBelow,
    /// All records.
    All,
}

impl ScopeWidth {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::Team => "team",
            Self::Unit => "unit",
            Self::UnitAndBelow => "unit_and_below",
            Self::All => "all",
        }
    }
}

/// An act of the appliance that is not about one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppAction {
    /// Change many records in one call.
    Bulk,
    /// Bring records in from a file.
    Import,
    /// Take lists out as files.
    Export,
    /// Use API tokens of one's own.
    Token,
    /// Read definitions of objects with all details and change them.
    Definitions,
    /// Make users, set passwords, end sessions.
    Users,
    /// Give and take roles; define roles.
    Roles,
    /// See who saw the records one reaches.
    AccessLog,
    /// Share saved views with roles or with all, and set the defaults of roles.
    Views,
    /// Look into backup sets and bring records back from them, as far as one's rights on the records reach.
    BackupPick,
    /// Read the audit log.
    AuditRead,
    /// Verify the audit log.
    AuditVerify,
    /// See the state of the appliance.
    SystemHealth,
    /// Run the appliance: configuration, start, stop, jobs.
    System,
    /// Hold keys: unseal slots, rotation.
    Keys,
}

impl AppAction {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Bulk,
        Self::Import,
        Self::Export,
        Self::Token,
        Self::Definitions,
        Self::Users,
        Self::Roles,
        Self::AccessLog,
        Self::Views,
        Self::BackupPick,
        Self::AuditRead,
        Self::AuditVerify,
        Self::SystemHealth,
        Self::System,
        Self::Keys,
    ];
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Import => "import",
            Self::Export => "export",
            Self::Token => "token",
            Self::Definitions => "definitions",
            Self::Users => "users",
            Self::Roles => "roles",
            Self::AccessLog => "access_log",
            Self::Views => "views",
            Self::BackupPick => "backup_pick",
            Self::AuditRead => "audit_read",
            Self::AuditVerify => "audit_verify",
            Self::SystemHealth => "system_health",
            Self::System => "system",
            Self::Keys => "keys",
        }
    }
    /// Whether it belongs to one of the three administrations, so that no role of the business may have it.
    pub const fn is_administration(self) -> bool {
        match self {
            Self::Bulk
            | Self::Import
            | Self::Export
            | Self::Token
            | Self::AccessLog
            | Self::Views
            | Self::BackupPick => false,
            Self::Definitions
            | Self::Users
            | Self::Roles
            | Self::AuditRead
            | Self::AuditVerify
            | Self::SystemHealth
            | Self::System
            | Self::Keys => true,
        }
    }
}

/// Rights on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectRights {
    /// Width of reading.
    pub read: ScopeWidth,
    /// Width of creating: within which the new record must fall.
    pub create: ScopeWidth,
    /// Width of changing.
    pub update: ScopeWidth,
    /// Width of deleting and restoring.
    pub delete: ScopeWidth,
    /// Width of handing over.
    pub assign: ScopeWidth,
    /// Width of revealing.
    pub reveal: ScopeWidth,
}

impl ObjectRights {
    /// The width of one verb.
    pub const fn width(&self, verb: Verb) -> ScopeWidth {
        match verb {
            Verb::Read => self.read,
            Verb::Create => self.create,
            Verb::Update => self.update,
            Verb::Delete => self.delete,
            Verb::Assign => self.assign,
            Verb::Reveal => self.reveal,
        }
    }
}

/// What a role takes away, whatever other roles give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Forbid {
    /// Verbs by object (`*` for every business object).
    pub objects: BTreeMap<String, BTreeSet<Verb>>,
    /// Fields as `object.field`.
    pub fields: BTreeSet<String>,
    /// Acts of the appliance.
    pub actions: BTreeSet<AppAction>,
}

/// Whether a role is for the business or for one of the three administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum RoleKind {
    /// Works with customer data.
    #[default]
    Business,
    /// Runs the appliance; opens no customer data.
    SystemAdministration,
    /// Holds users, roles and keys; opens no customer data.
    SecurityAdministration,
    /// Reads and verifies the log; opens no customer data.
    AuditAdministration,
    /// The appliance itself and its operator at the command line; cannot be given to a user.
    Internal,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDef {
    /// Stable name.
    pub name: String,
    /// What people read.
    pub label: Label,
    /// What it is for.
    pub description: Label,
    /// Business or administration.
    #[serde(default)]
    pub kind: RoleKind,
    /// Rights by object; `*` stands for every business object that is not named, `organisation` and `reference` for those kinds.
    #[serde(default)]
    pub objects: BTreeMap<String, ObjectRights>,
    /// Level by sensitivity for fields that are not named.
    #[serde(default)]
    pub levels: BTreeMap<Sensitivity, Level>,
    /// Level by `object` and sensitivity, where an object differs.
    #[serde(default)]
    pub object_levels: BTreeMap<String, BTreeMap<Sensitivity, Level>>,
    /// Level by `object.field`.
    #[serde(default)]
    pub fields: BTreeMap<String, Level>,
    /// Acts of the appliance.
    #[serde(default)]
    pub actions: BTreeSet<AppAction>,
    /// What it takes away.
    #[serde(default)]
    pub forbid: Forbid,
    /// Grows with each change of a custom role; 0 for the roles that ship, which do not change.
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: u32,
    /// No longer in use: it gives nothing, takes nothing away, and cannot be given. Its name stays taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retired: bool,
}

/// What the names of custom roles begin with, so that none meets a later role of the product.
pub const CUSTOM_ROLE_PREFIX: &str = "x_";

impl RoleDef {
    /// Whether it was made here and can be changed; the roles that ship can only be copied.
    pub fn is_custom(&self) -> bool {
        self.name.starts_with(CUSTOM_ROLE_PREFIX)
    }
    /// Whether it can be given to people.
    pub fn is_assignable(&self) -> bool {
        self.kind != RoleKind::Internal && !self.retired
    }
}

impl RoleKind {
    /// Whether it is one of the three administrations.
    pub const fn is_administration(self) -> bool {
        match self {
            Self::SystemAdministration | Self::SecurityAdministration | Self::AuditAdministration => true,
            Self::Business | Self::Internal => false,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
