//! The roles that ship. Business and administration roles are JSON files beside this one; the two internal roles are code,
//! because nobody may change them.

use crate::{AppAction, Forbid, Level, ObjectRights, RoleDef, RoleKind, ScopeWidth};
use kernel::Label;
use metadata::Sensitivity;
use std::collections::{BTreeMap, BTreeSet};

/// The role of the operator at the command line of the server itself.
pub const LOCAL_OPERATOR_ROLE: &str = "local_operator";
/// The role of the appliance's own acts.
pub const APPLIANCE_ROLE: &str = "appliance";

const FILES: [&str; 6] = [
    include_str!("roles/seller.json"),
    include_str!("roles/sales_manager.json"),
    include_str!("roles/service_agent.json"),
    include_str!("roles/system_admin.json"),
    include_str!("roles/security_admin.json"),
    include_str!("roles/audit_admin.json"),
];

/// The roles that can be given to people.
pub fn standard_roles() -> Result<Vec<RoleDef>, serde_json::Error> {
    FILES.iter().map(|file| serde_json::from_str(file)).collect()
}

/// The roles of the appliance itself: it writes what it is told to and discloses nothing in clear.
pub fn internal_roles() -> Vec<RoleDef> {
    let write_all = ObjectRights {
        read: ScopeWidth::All,
        create: ScopeWidth::All,
        update: ScopeWidth::All,
        assign: ScopeWidth::All,
        ..ObjectRights::default()
    };
    let objects: BTreeMap<String, ObjectRights> =
        ["*", "organisation", "reference"].map(|kind| (kind.to_owned(), write_all.clone())).into();
    let levels = BTreeMap::from([
        (Sensitivity::S0, Level::Edit),
        (Sensitivity::S1, Level::Edit),
        (Sensitivity::S2, Level::Edit),
        (Sensitivity::S3, Level::Edit),
    ]);
    let with_delete: BTreeMap<String, ObjectRights> = objects
        .iter()
        .map(|(kind, rights)| (kind.clone(), ObjectRights { delete: ScopeWidth::All, ..rights.clone() }))
        .collect();
    let role = |name: &str, label, description, actions: &[AppAction]| RoleDef {
        name: name.to_owned(),
        label,
        description,
        kind: RoleKind::Internal,
        // Deleting follows from rules of relations, which the appliance carries out; the command line deletes nothing.
        objects: if name == APPLIANCE_ROLE { with_delete.clone() } else { objects.clone() },
        levels: levels.clone(),
        object_levels: BTreeMap::new(),
        fields: BTreeMap::new(),
        actions: actions.iter().copied().collect::<BTreeSet<_>>(),
        forbid: Forbid::default(),
        version: 0,
        retired: false,
    };
    vec![
        role(
            LOCAL_OPERATOR_ROLE,
            Label::new("Local operator", "本机操作员"),
            Label::new(
                "Whoever runs the command line on the server as the service account.",
                "以服务账户在服务器上运行命令行的人。",
            ),
            &[
                AppAction::Import,
                AppAction::Users,
                AppAction::Roles,
                AppAction::Definitions,
                AppAction::AuditVerify,
                AppAction::System,
                AppAction::SystemHealth,
            ],
        ),
        role(
            APPLIANCE_ROLE,
            Label::new("Appliance", "系统"),
            Label::new("The appliance's own acts.", "系统自身的操作。"),
            &[AppAction::System, AppAction::AuditVerify],
        ),
    ]
}
