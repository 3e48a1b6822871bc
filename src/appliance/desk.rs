//! What the local operator works with: the verbs, the users' credentials, and the operator as an actor.
//! Every act goes through the same verbs as over the API, so the log tells of it in the same way.

use crate::appliance::{Appliance, Keeper, LogSigner, Opened, local_operator};
use crate::cli::failure::Failure;
use audit::{Verb, VerifierKey};
use identity::{Actor, Channel, Identity, PasswordOrigin, Ports, SecretText};
use kernel::{Code, RecordId, UserId};
use records::{ListRequest, RecordView, Records};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use store::{DirectoryPorts, Store};

/// The verbs and who uses them.
pub(crate) struct Desk {
    pub(crate) records: Records,
    pub(crate) identity: Arc<Identity>,
    pub(crate) operator: Arc<Actor>,
    pub(crate) store: Arc<Store>,
    signer: Arc<LogSigner>,
}

/// The service of sign-ins over a store.
pub(crate) fn identity_over(store: &Arc<Store>) -> Arc<Identity> {
    let ports = Arc::new(DirectoryPorts(Arc::clone(store)));
    let ports = Ports { users: ports.clone(), sessions: ports.clone(), tokens: ports };
    Arc::new(Identity::new(ports, Arc::clone(store.clock()), Arc::clone(store.random())))
}

/// A user to be made.
pub(crate) struct NewUser<'a> {
    /// What the user signs in with.
    pub(crate) login: &'a str,
    /// What others see.
    pub(crate) name: &'a str,
    /// The unit.
    pub(crate) unit: Option<RecordId>,
    /// The first password.
    pub(crate) password: &'a SecretText,
    /// Whether it has to be changed at the first sign-in.
    pub(crate) origin: PasswordOrigin,
    /// Roles.
    pub(crate) roles: &'a [String],
}

impl Desk {
    /// Opens the database of an unsealed appliance for the local operator.
    pub(crate) fn open(appliance: &Appliance, channel: Channel) -> Result<Self, Failure> {
        let operator = local_operator(&appliance.layout, channel, appliance.clock.as_ref(), appliance.random.as_ref())?;
        let Opened { store, signer, .. } = appliance.open()?;
        let (records, identity) = (Records::new(Arc::clone(&store)), identity_over(&store));
        Ok(Self { records, identity, operator: Arc::new(operator), store, signer })
    }
    /// The backups of the appliance.
    pub(crate) fn keeper(&self, appliance: &Appliance) -> Result<Keeper, Failure> {
        Keeper::new(appliance, &self.store, &self.signer, None)
    }
    /// Seals what was done into the log, unless a running server does, and closes.
    pub(crate) fn close(self) -> Result<(), Failure> {
        self.store.seal_log(self.signer.as_ref())?;
        self.store.close();
        Ok(())
    }
    /// Puts an act of the operator that belongs to no record into the log.
    pub(crate) fn note(&self, verb: Verb, note: &str) -> Result<(), Failure> {
        let mut entry = self.store.entry(&self.operator, verb);
        entry.note = format!("{}; {note}", entry.note);
        Ok(self.store.append(vec![entry]).wait()?)
    }
    /// The public key of the log.
    pub(crate) fn verifier_key(&self) -> Result<VerifierKey, Failure> {
        self.signer.verifier_key()
    }

    /// The user with this login.
    pub(crate) fn user(&self, login: &str) -> Result<UserId, Failure> {
        let unknown = || {
            Failure::new(Code::RecordNotFound, format!("there is no user with the login {login}"))
                .kept("nothing was changed")
                .todo("`kontor user list` shows the logins")
        };
        self.records.user_by_login(login)?.ok_or_else(unknown)
    }
    /// A record as the operator sees it.
    pub(crate) fn record(&self, object: &str, id: RecordId) -> Result<RecordView, Failure> {
        Ok(self.records.open(&self.operator, object, id, None).wait()?.into_view())
    }
    /// The unit with this code.
    pub(crate) fn unit(&self, code: &str) -> Result<RecordId, Failure> {
        let filter = json!({"field": "code", "op": "eq", "value": code});
        let request =
            ListRequest { filter: Some(filter), fields: Some(vec!["code".to_owned()]), ..ListRequest::default() };
        let found = self.records.list(&self.operator, "unit", request).wait()?.into_view();
        found.items.first().map(|unit| unit.id).ok_or_else(|| {
            Failure::new(Code::ReferenceUnknown, format!("there is no unit with the code {code}"))
                .kept("nothing was changed")
        })
    }
    /// Makes a user with a password and roles. When a later step fails the user is there without it, and the failure says so.
    pub(crate) fn user_add(&self, new: &NewUser<'_>) -> Result<UserId, Failure> {
        identity::password_check(new.login, new.password.expose())
            .map_err(|weak| Failure::new(Code::ValueFormat, weak.to_string()).kept("nothing was changed"))?;
        let mut fields = fields_of(
            json!({"username": new.login, "display_name": new.name, "status": "active", "auth_source": "local"}),
        );
        if let Some(unit) = new.unit {
            fields.insert("unit".to_owned(), json!({"object": "unit", "id": unit}));
        }
        let user = self.records.create(&self.operator, "user", fields, None).wait()?.into_view().id;
        let made = |failure: Failure| failure.kept(format!("the user {} was made; the rest was not", new.login));
        self.password_set(user, new.password, new.origin).map_err(made)?;
        for role in new.roles {
            self.records
                .role_grant(&self.operator, user, role, None, None)
                .wait()
                .map_err(Failure::from)
                .map_err(made)?;
        }
        Ok(user)
    }
    /// Sets a password; the user's sessions end.
    pub(crate) fn password_set(
        &self,
        user: UserId,
        password: &SecretText,
        origin: PasswordOrigin,
    ) -> Result<(), Failure> {
        self.records.password_allowed(&self.operator, user)?;
        self.identity.password_set(user, password.expose(), origin).map_err(kernel::Fault::from)?;
        Ok(self.records.note_password(&self.operator, user)?)
    }
}

/// The members of a JSON object; anything else is empty.
pub(crate) fn fields_of(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}
