//! Which roles exclude each other: the three administrations are held by different people, and none of them by somebody
//! who works with customer data. Checked when a role is given and again at every sign-in.

use crate::{RoleDef, RoleKind};

/// A role cannot be given to this user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// Two roles that one person may not hold together.
    #[error(
        "the roles {0} and {1} may not be held by one person: administration is kept apart from business and from each other"
    )]
    Exclusive(String, String),
    /// The role belongs to the appliance itself.
    #[error("the role {0} belongs to the appliance and cannot be given to a person")]
    Internal(String),
}

/// Whether one person may hold all these roles.
pub fn check_assignment<'r>(roles: impl IntoIterator<Item = &'r RoleDef>) -> Result<(), AssignmentError> {
    let mut first: Option<&RoleDef> = None;
    for role in roles {
        if role.kind == RoleKind::Internal {
            return Err(AssignmentError::Internal(role.name.clone()));
        }
        match first {
            Some(held) if held.kind != role.kind => {
                return Err(AssignmentError::Exclusive(held.name.clone(), role.name.clone()));
            }
            _ => first = Some(role),
        }
    }
    Ok(())
}
