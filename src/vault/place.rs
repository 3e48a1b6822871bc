//! Where a sealed value belongs, and the forms it takes: [`Plain`] on its way in, [`Sealed`] at rest, [`Opened`] on its
//! way out. Plaintext shows itself only to a read grant for the record it came from.

use crate::{Class, Normaliser, VaultError};
use authz::{Grant, Level, Read};
use kernel::{RecordId, limits};
use metadata::{FieldDef, FieldType, ObjectDef, Sealing};
use zeroize::Zeroizing;

/// A name held in place: a list opens thousands of values, and none of them should allocate for its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    bytes: [u8; limits::NAME_CHARS_MAX],
    length: u8,
}

impl Name {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; limits::NAME_CHARS_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Where one sealed value belongs: object, field, record and data subject. Built only from the definition of a field
/// that the definition seals.
#[derive(Clone, Copy)]
pub struct Place {
    pub(crate) object: Name,
    pub(crate) field: Name,
    pub(crate) record: RecordId,
    pub(crate) subject: RecordId,
    pub(crate) class: Class,
    pub(crate) value_type: u8,
    pub(crate) normaliser: Normaliser,
    pub(crate) blind_bits: u8,
    position: usize,
}

impl Place {
    /// The place of a field's value in a record whose values are sealed under `subject`'s keys (the record itself where
    /// it is not about a person). Of an address, it is the place of the street.
    ///
    /// # Errors
    /// [`VaultError::NotSealedField`] when the field is not of this object or lies in a plain column.
    pub fn of(object: &ObjectDef, field: &FieldDef, record: RecordId, subject: RecordId) -> Result<Self, VaultError> {
        match field.sealing {
            Sealing::Plain => return Err(VaultError::NotSealedField),
            Sealing::Sealed | Sealing::Exact | Sealing::Memory => {}
        }
        let position = object.field_index(&field.name).ok_or(VaultError::NotSealedField)?;
        Ok(Self {
            object: Name::new(&object.name).ok_or(VaultError::NotSealedField)?,
            field: Name::new(&field.name).ok_or(VaultError::NotSealedField)?,
            record,
            subject,
            class: Class::of(field),
            value_type: field.field_type.tag(),
            normaliser: Normaliser::of(&field.field_type),
            blind_bits: object.blind_bits,
            position,
        })
    }
    /// The object's name.
    pub fn object(&self) -> &str {
        self.object.as_str()
    }
    /// The field's name.
    pub fn field(&self) -> &str {
        self.field.as_str()
    }
    /// The record.
    pub fn record(&self) -> RecordId {
        self.record
    }
    /// Whose keys seal the value.
    pub fn subject(&self) -> RecordId {
        self.subject
    }
    /// Which of the subject's keys.
    pub fn class(&self) -> Class {
        self.class
    }

    /// An error unless the grant is for this record and shows at least a mask of this field.
    pub(crate) fn check(&self, grant: &Grant<'_, Read>) -> Result<(), VaultError> {
        let reaches = grant.record() == self.record && grant.object() == self.object();
        if reaches && grant.levels().get(self.position) >= Level::Masked { Ok(()) } else { Err(VaultError::NotGranted) }
    }
}

/// A plaintext in memory, bound to its place; wiped when dropped. Has no `Display`, `Debug`, `Clone` or `Serialize`.
pub struct Plain {
    pub(crate) place: Place,
    pub(crate) text: Zeroizing<String>,
}

impl Plain {
    /// Takes a value in its text form (`metadata::Value::to_text`; of an address the street alone).
    pub fn receive(place: Place, text: String) -> Self {
        Self { place, text: Zeroizing::new(text) }
    }
    /// Where it belongs.
    pub fn place(&self) -> &Place {
        &self.place
    }
    /// The text, for a reader of this record and field.
    pub fn expose(&self, grant: &Grant<'_, Read>) -> Result<&str, VaultError> {
        self.place.check(grant)?;
        Ok(&self.text)
    }
}

/// A ciphertext and where it belongs.
pub struct Sealed {
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
}

impl Sealed {
    /// Where it belongs.
    pub fn place(&self) -> &Place {
        &self.place
    }
    /// The ciphertext, as it goes into the column.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Takes the ciphertext out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A value opened from the database; wiped when dropped. Its text shows itself only to a fitting grant.
pub struct Opened {
    pub(crate) place: Place,
    pub(crate) value_type: u8,
    pub(crate) text: Zeroizing<String>,
}

impl Opened {
    /// Where it belongs.
    pub fn place(&self) -> &Place {
        &self.place
    }
    /// Whether it was sealed as a value of this type; otherwise the field's type has changed since.
    pub fn is_of(&self, field_type: &FieldType) -> bool {
        self.value_type == field_type.tag()
    }
    /// The text, for a reader of this record who sees at least the mask of this field.
    pub fn expose(&self, grant: &Grant<'_, Read>) -> Result<&str, VaultError> {
        self.place.check(grant)?;
        Ok(&self.text)
    }
}

/// Where the sealed part of an audit entry belongs: one change of one record.
#[derive(Clone, Copy)]
pub struct ChangePlace {
    pub(crate) object: Name,
    pub(crate) record: RecordId,
    pub(crate) subject: RecordId,
    pub(crate) entry: [u8; 16],
}

impl ChangePlace {
    /// The place of a change of a record, in the entry named by these 16 bytes, which no other entry has.
    pub fn of(object: &ObjectDef, record: RecordId, subject: RecordId, entry: [u8; 16]) -> Result<Self, VaultError> {
        let object = Name::new(&object.name).ok_or(VaultError::NotSealedField)?;
        Ok(Self { object, record, subject, entry })
    }
    pub(crate) fn check(&self, grant: &Grant<'_, Read>) -> Result<(), VaultError> {
        let reaches = grant.record() == self.record && grant.object() == self.object.as_str();
        if reaches { Ok(()) } else { Err(VaultError::NotGranted) }
    }
}

/// The opened part of an audit entry; wiped when dropped. It tells of several fields: reduce it to what the grant's
/// levels show before it goes anywhere.
pub struct OpenedChange {
    pub(crate) place: ChangePlace,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl OpenedChange {
    /// The bytes that were sealed, for a reader of the record.
    pub fn expose(&self, grant: &Grant<'_, Read>) -> Result<&[u8], VaultError> {
        self.place.check(grant)?;
        Ok(&self.body)
    }
}
