//! Backup sets in a store that speaks S3. There is no renaming there, so a set is whole when its manifest is there: that is kept
//! back while the other files are written and put last, and it goes first when the set is removed. A file is put at once, or
//! in parts when it is large; a part whose way was interrupted is sent again, a set that was interrupted is begun anew.

mod client;
mod sign;

use client::{Answer, Ask, Client};
use kernel::Clock;
use recovery::{MANIFEST, PartSink, SIGNATURE, SetName, Target, TargetStep};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Bytes of one part: ten thousand of them, the most a file may have, are 160 GB.
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Parts of one file.
const PARTS_MAX: usize = 10_000;
/// Pages of a list that are read; a page has a thousand names.
const PAGES_MAX: usize = 100;

/// Where a store is and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// Host and port.
    pub host: String,
    /// HTTP instead of HTTPS; the caller has made sure that it does not leave the machine.
    pub plain_http: bool,
    /// The bucket.
    pub bucket: String,
    /// What the names of all objects begin with; may be empty.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Whether the bucket stands in the path, as with most stores of one's own, and not in the host name.
    pub path_style: bool,
    /// The authorities that may have signed the store's certificate, PEM.
    pub ca_file: PathBuf,
    /// A private file with two lines: the id of the access key, and its secret.
    pub credentials: PathBuf,
}

/// A store as a target of the sets of one appliance.
pub struct S3Target {
    name: String,
    appliance: String,
    settings: S3Settings,
    clock: Arc<dyn Clock>,
    client: OnceLock<Arc<Client>>,
    /// Manifests that wait to be put last, by their object.
    held: Held,
}

type Held = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

fn lock(held: &Held) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl S3Target {
    /// The sets of `appliance` in a store. Nothing is sent yet.
    pub fn new(name: &str, settings: S3Settings, appliance: &str, clock: Arc<dyn Clock>) -> Self {
        let (name, appliance) = (name.to_owned(), appliance.to_owned());
        Self { name, appliance, settings, clock, client: OnceLock::new(), held: Held::default() }
    }

    fn client(&self) -> io::Result<&Arc<Client>> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = Arc::new(Client::new(&self.settings, Arc::clone(&self.clock))?);
        Ok(self.client.get_or_init(|| made))
    }

    /// The name of an object, and what the names of all objects of a folder begin with.
    fn key(&self, below: &str) -> String {
        let prefix = self.settings.prefix.trim_matches('/');
        if prefix.is_empty() { below.to_owned() } else { format!("{prefix}/{below}") }
    }
    fn house(&self) -> String {
        self.key(&format!("{}/", self.appliance))
    }
    fn object(&self, set: &SetName, file: &str) -> String {
        format!("{}{set}/{file}", self.house())
    }

    fn names(&self, prefix: &str) -> io::Result<Vec<String>> {
        let (client, mut names, mut next) = (self.client()?, Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let mut query = vec![("list-type", "2"), ("prefix", prefix)];
            query.extend(next.as_deref().map(|token| ("continuation-token", token)));
            let page = client.ask(&Ask { method: "GET", query: &query, ..Ask::default() })?;
            names.extend(page.texts("Key")?);
            next = page.texts("NextContinuationToken")?.into_iter().next();
            if next.is_none() {
                return Ok(names);
            }
        }
        Err(io::Error::new(ErrorKind::FileTooLarge, "there are more than a hundred thousand objects"))
    }

    fn put(&self, key: &str, body: &[u8], only_new: bool) -> io::Result<Answer> {
        self.client()?.ask(&Ask { method: "PUT", key, body, only_new, ..Ask::default() })
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        match self.client()?.ask(&Ask { method: "DELETE", key, ..Ask::default() }) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn download(&self, key: String) -> io::Result<Box<dyn Read + Send>> {
        let mut reader =
            Download { client: Arc::clone(self.client()?), key, at: 0, whole: None, block: Vec::new(), used: 0 };
        reader.fill()?;
        Ok(Box::new(reader))
    }

    /// Deletes all objects of a set; its manifest first, so that it no longer looks like one from the first moment on.
    fn clear(&self, set: &SetName) -> io::Result<()> {
        self.delete(&self.object(set, MANIFEST))?;
        self.names(&self.object(set, ""))?.iter().try_for_each(|key| self.delete(key))
    }
}

impl Target for S3Target {
    fn name(&self) -> &str {
        &self.name
    }
    fn begin(&self, set: &SetName) -> io::Result<()> {
        let there = self.names(&self.object(set, ""))?;
        if there.contains(&self.object(set, MANIFEST)) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "a whole set of this name is there already"));
        }
        there.iter().try_for_each(|key| self.delete(key))
    }
    fn resume(&self, set: &SetName) -> io::Result<()> {
        if self.names(&self.object(set, ""))?.contains(&self.object(set, MANIFEST)) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "a whole set of this name is there already"));
        }
        Ok(())
    }
    fn kept(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        // An object is there whole or not at all; its hash is compared all the same.
        self.read(set, file)
    }
    fn halves(&self) -> io::Result<Vec<SetName>> {
        let (house, mut sets) = (self.house(), BTreeMap::<SetName, bool>::new());
        for key in self.names(&house)? {
            let Some((set, file)) = key.strip_prefix(&house).and_then(|rest| rest.split_once('/')) else { continue };
            if let Ok(set) = set.parse() {
                *sets.entry(set).or_default() |= file == MANIFEST;
            }
        }
        Ok(sets.into_iter().filter(|(_, whole)| !whole).map(|(set, _)| set).collect())
    }
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>> {
        let key = self.object(set, file);
        if file == MANIFEST || file == SIGNATURE {
            return Ok(Box::new(Kept { key, bytes: Vec::new(), held: Arc::clone(&self.held) }));
        }
        let client = Arc::clone(self.client()?);
        Ok(Box::new(Upload { client, key, waiting: Vec::new(), upload: None, parts: Vec::new(), done: false }))
    }
    fn publish(&self, set: &SetName) -> io::Result<()> {
        for file in [SIGNATURE, MANIFEST] {
            let key = self.object(set, file);
            let bytes = lock(&self.held).remove(&key);
            let bytes =
                bytes.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, format!("{file} was not written")))?;
            self.put(&key, &bytes, file == MANIFEST)?;
        }
        Ok(())
    }
    fn abandon(&self, set: &SetName) {
        lock(&self.held).retain(|key, _| !key.starts_with(&self.object(set, "")));
        // What stays behind has no manifest; the next attempt under this name takes it away.
        let _ = self.clear(set);
    }
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.download(self.object(set, file))
    }
    fn appliances(&self) -> io::Result<Vec<String>> {
        let base = self.key("");
        let query = [("delimiter", "/"), ("list-type", "2"), ("prefix", base.as_str())];
        let page = self.client()?.ask(&Ask { method: "GET", query: &query, ..Ask::default() })?;
        // The prefix that was asked for stands there, too.
        let name = |found: String| found.strip_prefix(&base)?.strip_suffix('/').map(str::to_owned);
        Ok(page.texts("Prefix")?.into_iter().filter_map(name).filter(|name| !name.is_empty()).collect())
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        let house = self.house();
        let set = |key: String| {
            let (set, file) = key.strip_prefix(&house)?.split_once('/')?;
            (file == MANIFEST).then(|| set.parse().ok()).flatten()
        };
        let mut sets: Vec<SetName> = self.names(&house)?.into_iter().filter_map(set).collect();
        sets.sort();
        Ok(sets)
    }
    fn remove(&self, set: &SetName) -> io::Result<()> {
        self.clear(set)
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn loose(&self, folder: &str) -> io::Result<Vec<String>> {
        let folder = format!("{}{folder}/", self.house());
        let name = |key: String| key.strip_prefix(&folder).filter(|name| !name.contains('/')).map(str::to_owned);
        Ok(self.names(&folder)?.into_iter().filter_map(name).collect())
    }
    fn loose_read(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        self.download(format!("{}{path}", self.house()))
    }
    fn loose_keep(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        // An object is there whole or not at all.
        self.put(&format!("{}{path}", self.house()), bytes, false).map(drop)
    }
    fn loose_remove(&self, path: &str) -> io::Result<()> {
        self.delete(&format!("{}{path}", self.house()))
    }
    fn try_out(&self, word: &str) -> Vec<TargetStep> {
        let key = self.key(&format!("{}-probe-{word}", self.appliance));
        let body = word.as_bytes();
        let mut steps = vec![TargetStep::new("write", self.put(&key, body, true).map(drop))];
        if steps.iter().all(TargetStep::is_well) {
            let ask = Ask { method: "GET", key: &key, range: Some((0, PART_BYTES as u64)), ..Ask::default() };
            let read = self.client().and_then(|client| client.ask(&ask));
            steps.push(TargetStep::same("read back", read.map(|answer| answer.body), body));
            let found = self.names(&key).and_then(|names| {
                let there = names.contains(&key);
                if there {
                    Ok(())
                } else {
                    Err(io::Error::new(ErrorKind::NotFound, "what was written is not in the list"))
                }
            });
            steps.push(TargetStep::new("list", found));
            // A store that overwrites what is there makes nothing worse: names of sets are never used twice.
            steps.push(TargetStep::new("remove", self.delete(&key)));
        }
        steps
    }
}

/// A manifest that waits to be put last.
struct Kept {
    key: String,
    bytes: Vec<u8>,
    held: Held,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > PART_BYTES {
            return Err(io::Error::from(ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartSink for Kept {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        lock(&self.held).insert(std::mem::take(&mut self.key), std::mem::take(&mut self.bytes));
        Ok(())
    }
}

/// A file on its way. One that is not finished leaves nothing that could be taken for it.
struct Upload {
    client: Arc<Client>,
    key: String,
    waiting: Vec<u8>,
    upload: Option<String>,
    /// What the store calls each part.
    parts: Vec<String>,
    done: bool,
}

impl Upload {
    fn send_part(&mut self) -> io::Result<()> {
        if self.parts.len() >= PARTS_MAX {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "a file of a set may have 160 GB in a store"));
        }
        let id = match &self.upload {
            Some(id) => id.clone(),
            None => {
                let ask = Ask { method: "POST", key: &self.key, query: &[("uploads", "")], ..Ask::default() };
                let id = self.client.ask(&ask)?.texts("UploadId")?.into_iter().next();
                let id = id.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the store began no upload"))?;
                self.upload.insert(id).clone()
            }
        };
        let number = (self.parts.len() + 1).to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", id.as_str())];
        let ask = Ask { method: "PUT", key: &self.key, query: &query, body: &self.waiting, ..Ask::default() };
        self.parts.push(self.client.ask(&ask)?.etag);
        self.waiting.clear();
        Ok(())
    }

    fn complete(&self, id: &str) -> io::Result<()> {
        let mut list = "<CompleteMultipartUpload>".to_owned();
        for (at, etag) in self.parts.iter().enumerate() {
            let etag = quick_xml::escape::escape(etag);
            list.push_str(&format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", at + 1));
        }
        list.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", id)];
        let ask = Ask { method: "POST", key: &self.key, query: &query, body: list.as_bytes(), ..Ask::default() };
        // It may fail after the status has said that all is well.
        match self.client.ask(&ask)?.texts("ETag")?.is_empty() {
            true => Err(io::Error::other("the store did not put the parts together")),
            false => Ok(()),
        }
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() >= PART_BYTES {
            self.send_part()?;
        }
        let room = PART_BYTES.saturating_sub(self.waiting.len()).min(bytes.len());
        self.waiting.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(room)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartSink for Upload {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.upload.is_none() {
            self.client.ask(&Ask { method: "PUT", key: &self.key, body: &self.waiting, ..Ask::default() })?;
        } else {
            self.send_part()?;
            self.complete(self.upload.as_deref().unwrap_or_default())?;
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(id) = self.upload.as_deref().filter(|_| !self.done) else { return };
        // Parts that nobody puts together would be paid for. When the store is away, its own rule for them has to do.
        let query = [("uploadId", id)];
        let _ = self.client.ask(&Ask { method: "DELETE", key: &self.key, query: &query, ..Ask::default() });
    }
}

/// A file on its way back, block by block: an interruption costs one block.
struct Download {
    client: Arc<Client>,
    key: String,
    at: u64,
    whole: Option<u64>,
    block: Vec<u8>,
    used: usize,
}

impl Download {
    fn fill(&mut self) -> io::Result<()> {
        let end = self.at + PART_BYTES as u64;
        let ask = Ask { method: "GET", key: &self.key, range: Some((self.at, end)), ..Ask::default() };
        let answer = self.client.ask(&ask)?;
        let whole = answer.whole.unwrap_or(answer.body.len() as u64);
        if answer.body.is_empty() || self.whole.is_some_and(|known| known != whole) {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the object changed or ended while it was read"));
        }
        self.at += answer.body.len() as u64;
        (self.whole, self.block, self.used) = (Some(whole), answer.body, 0);
        Ok(())
    }
}

impl Read for Download {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used >= self.block.len() {
            if self.whole.is_none_or(|whole| self.at >= whole) {
                return Ok(0);
            }
            self.fill()?;
        }
        let left = self.block.get(self.used..).unwrap_or_default();
        let count = left.len().min(out.len());
        out.iter_mut().zip(left).for_each(|(to, from)| *to = *from);
        self.used += count;
        Ok(count)
    }
}
