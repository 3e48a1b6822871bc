//! Making a new appliance: folders, key, certificates, configuration, database. What is half made when something fails
//! is taken away again, so that the next attempt begins on clean ground. It never touches a folder that holds anything.

use crate::appliance::layout::{make_private_folder, write_private};
use crate::appliance::operator::refuse_root_on_foreign;
use crate::appliance::{Appliance, Layout};
use crate::cli::failure::Failure;
use crate::config::{NewConfig, new_text};
use api::OwnCertificates;
use kernel::{Clock, Code, Id, Random, SystemClock};
use metadata::Profile;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use store::SetUp;
use vault::{OsRandom, PassphraseCost, Secret, Vault};

/// What is to be made.
pub(crate) struct NewAppliance<'a> {
    /// The folder; absent or empty.
    pub(crate) dir: &'a Path,
    /// Which fields are sealed.
    pub(crate) profile: Profile,
    /// A passphrase slot.
    pub(crate) passphrase: Option<Secret>,
    /// A key file slot.
    pub(crate) key_file: bool,
    /// Where it will listen.
    pub(crate) listen: &'a str,
    /// Names in the certificate.
    pub(crate) names: &'a [String],
    /// A PostgreSQL server instead of the embedded database: the file with its address, and its authority.
    pub(crate) postgres: Option<(&'a Path, Option<&'a Path>)>,
}

/// A new appliance, unsealed. Dropped without [`Created::keep`], it is taken away again.
pub(crate) struct Created {
    pub(crate) appliance: Appliance,
    half: HalfMade,
}

impl Created {
    /// It is whole: let it stay.
    pub(crate) fn keep(mut self) -> Appliance {
        self.half.keep = true;
        self.appliance
    }
}

/// Takes what was made away when it is dropped.
pub(super) struct HalfMade {
    layout: Layout,
    folder_was_there: bool,
    pub(super) keep: bool,
}

impl HalfMade {
    /// The folders of a new appliance or node, where nothing is yet.
    pub(super) fn begin(layout: &Layout) -> Result<Self, Failure> {
        refuse_root_on_foreign(layout)?;
        if !layout.is_unused()? {
            return Err(Failure::new(Code::ConfigInvalid, format!("{} is not empty", layout.dir().display()))
                .kept("everything in it is as it was")
                .todo("name a folder that does not exist yet, or an empty one"));
        }
        let half = Self { layout: layout.clone(), folder_was_there: layout.dir().exists(), keep: false };
        for folder in [layout.dir().to_owned(), layout.keys(), layout.data(), layout.log(), layout.tls()] {
            make_private_folder(&folder)?;
        }
        Ok(half)
    }
}

impl Drop for HalfMade {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // The folder was empty before, so everything in it is ours.
        let removed =
            if self.folder_was_there { empty(self.layout.dir()) } else { fs::remove_dir_all(self.layout.dir()) };
        if let Err(error) = removed {
            tracing::warn!(%error, "the half-made appliance could not be taken away; remove its folder by hand");
        }
    }
}

fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

/// Makes the appliance.
pub(crate) fn create(new: NewAppliance<'_>) -> Result<Created, Failure> {
    let layout = Layout::new(new.dir);
    let half = HalfMade::begin(&layout)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let random: Arc<dyn Random> = Arc::new(OsRandom::new());
    let text =
        new_text(&NewConfig { listen: new.listen, names: new.names, postgres: new.postgres, key_file: new.key_file });
    write_private(&layout.config(), &text)?;
    let vault = make_keys(&layout, &new, clock.as_ref(), &random)?;
    OwnCertificates::in_folder(layout.tls()).create(new.names, clock.as_ref()).map_err(|error| {
        Failure::new(Code::ConfigInvalid, error.to_string()).todo("name host names or IP addresses with --name")
    })?;
    // Read back what was written: the next start reads the same.
    let appliance = Appliance { vault: Arc::new(vault), ..Appliance::load(new.dir)? };
    let (id, _) = appliance.vault.appliance()?;
    SetUp::run(&appliance.store_config()?, new.profile, &id.to_string(), appliance.clock.as_ref())?;
    Ok(Created { appliance, half })
}

/// The root key with its one or two slots.
fn make_keys(
    layout: &Layout,
    new: &NewAppliance<'_>,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
) -> Result<Vault, Failure> {
    let id = Id::generate(clock, random.as_ref());
    let cost = PassphraseCost::default();
    let key_file = new.key_file.then(|| Secret::key_file_create(&layout.key_file(), random.as_ref())).transpose()?;
    let mut slots = [(&key_file, "key file of init"), (&new.passphrase, "passphrase of init")]
        .into_iter()
        .filter_map(|(secret, label)| secret.as_ref().map(|secret| (secret, label)));
    let none = || Failure::new(Code::ParameterInvalid, "an appliance needs a passphrase or a key file");
    let (secret, label) = slots.next().ok_or_else(none)?;
    let vault = Vault::create(layout.slots(), id, (secret, label, cost), clock, Arc::clone(random))?;
    for (secret, label) in slots {
        vault.slot_add(secret, label, cost, clock)?;
    }
    Ok(vault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_half_made_goes_and_what_was_there_stays() {
        let root = tempfile::tempdir().unwrap();
        for there in [true, false] {
            let dir = root.path().join(format!("a{there}"));
            if there {
                fs::create_dir(&dir).unwrap();
            }
            let half = HalfMade { layout: Layout::new(&dir), folder_was_there: there, keep: false };
            make_private_folder(&dir.join("keys")).unwrap();
            write_private(&dir.join("kontor.toml"), "x").unwrap();
            drop(half);
            assert_eq!(dir.exists(), there);
            assert!(Layout::new(&dir).is_unused().unwrap());
        }
    }
}
