//! Who may do what to which record and see which of its fields. The only crate that decides, and it decides once:
//! what it hands out ([`Grant`], [`Scope`]) is what the store and the vault ask for. Pure: no I/O, no clock.
//!
//! A grant cannot be made by hand, copied, or used for another act:
//! ```compile_fail
//! let grant = authz::Grant::<authz::Read> { actor: todo!(), facts: todo!(), levels: todo!(), why: todo!(), action: todo!() };
//! ```
//! ```compile_fail
//! fn twice(grant: authz::Grant<'_, authz::Update>) { drop(grant.clone()); }
//! ```
//! ```compile_fail
//! fn forge(scope: authz::Scope<'_>) -> authz::Scope<'_> { authz::Scope { predicate: authz::Predicate::everything(), ..scope } }
//! ```
//! An action cannot be invented:
//! ```compile_fail
//! enum Peek {}
//! impl authz::Action for Peek { const VERB: authz::Verb = authz::Verb::Read; }
//! ```

mod assign;
mod custom;
mod difference;
mod explain;
mod grant;
mod level;
mod placing;
mod policy;
mod predicate;
mod reading;
mod role;
mod standard;

pub use assign::{AssignmentError, check_assignment};
pub use custom::{RoleDraft, RolePatch, role_name_problems, role_problems};
pub use difference::{Effect, Held, RightsChange, differences, forbid_differences};
pub use explain::{Explained, ForbidTrace, LevelTrace, Place, Question, Reason, RightTrace};
pub use grant::{Action, Create, Delete, Grant, Read, Restore, Reveal, Update, Why};
pub use level::{FILES, FieldLevels, Level};
pub use placing::out_of_reach;
pub use policy::{Denied, DenyReason, Offered, Policy, Scope};
pub use predicate::{Facts, Predicate};
pub use reading::{LevelSource, Part};
pub use role::{AppAction, CUSTOM_ROLE_PREFIX, Forbid, ObjectRights, RoleDef, RoleKind, ScopeWidth, Verb};
pub use standard::{APPLIANCE_ROLE, LOCAL_OPERATOR_ROLE, internal_roles, standard_roles};
