//! What the generator has made so far, with the few facts that later records build on. Makes no records by itself.

use crate::{Sample, SampleLink, SampleRecord, calendar::Calendar, fields::Fields, numbers::Numbers, random::Random};
use kernel::Timestamp;
use std::collections::BTreeSet;

/// Somebody who owns records.
#[derive(Clone, Default)]
pub(crate) struct Owner {
    pub(crate) key: String,
    pub(crate) unit: &'static str,
    pub(crate) team: &'static str,
    pub(crate) zh: bool,
    pub(crate) service: bool,
    pub(crate) sign_in: bool,
}

/// A product as later records need it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Product {
    pub(crate) number: usize,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
    /// How often deals are about it, against the others.
    pub(crate) demand: u64,
    /// The size of its deals against those of a loan.
    pub(crate) size_percent: i64,
}

impl Product {
    pub(crate) fn key(&self) -> String {
        format!("product-{:03}", self.number)
    }
    pub(crate) fn name(&self, zh: bool) -> &'static str {
        if zh { self.zh } else { self.en }
    }
}

/// An account as later records need it.
#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) short: String,
    pub(crate) day: u32,
    pub(crate) zh: bool,
    pub(crate) german: bool,
    pub(crate) country: &'static str,
    pub(crate) area: &'static str,
    pub(crate) city: &'static str,
    pub(crate) domain: String,
    pub(crate) owner: usize,
    pub(crate) kind: &'static str,
    pub(crate) customer: bool,
    pub(crate) trades: bool,
    pub(crate) contacts: Vec<usize>,
}

/// A contact as later records need it.
#[derive(Clone, Default)]
pub(crate) struct Contact {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) day: u32,
    pub(crate) account: usize,
    pub(crate) owner: usize,
    pub(crate) mobile: Option<String>,
    pub(crate) email: String,
}

/// Anything an activity can be about.
#[derive(Clone, Default)]
pub(crate) struct Topic {
    pub(crate) object: &'static str,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) day: u32,
    pub(crate) zh: bool,
    pub(crate) owner: usize,
    pub(crate) firm: String,
    pub(crate) person: String,
    pub(crate) account: usize,
    pub(crate) contact: Option<usize>,
    pub(crate) phone: Option<String>,
    /// Days ago of its end; absent while it is open.
    pub(crate) closed: Option<i64>,
}

impl Topic {
    /// A record about an account, and about one of its people where there is one.
    pub(crate) fn about(
        object: &'static str,
        (account, firm): (usize, &Account),
        contact: Option<usize>,
        person: Option<&Contact>,
    ) -> Self {
        let who = person.map_or(&firm.short, |person| &person.name).clone();
        let phone = person.and_then(|person| person.mobile.clone());
        Self { object, zh: firm.zh, firm: firm.short.clone(), person: who, account, contact, phone, ..Self::default() }
    }
}

/// The generator's memory.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) calendar: Calendar,
    pub(crate) numbers: Numbers,
    pub(crate) sample: Sample,
    pub(crate) owners: Vec<Owner>,
    pub(crate) products: Vec<Product>,
    pub(crate) tags: Vec<(String, &'static [&'static str])>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) opportunities: Vec<Topic>,
    pub(crate) leads: Vec<Topic>,
    pub(crate) cases: Vec<Topic>,
    mails: BTreeSet<String>,
}

/// Where a record stands in time.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Days ago.
    pub(crate) day: u32,
    /// Office hours of Shanghai rather than Lübeck.
    pub(crate) zh: bool,
    /// The part of the working day; see [`Calendar::instant`].
    pub(crate) watch: u64,
}

impl World {
    pub(crate) fn new(now: Timestamp, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            calendar: Calendar::new(now),
            numbers: Numbers::default(),
            sample: Sample::default(),
            owners: Vec::new(),
            products: Vec::new(),
            tags: Vec::new(),
            accounts: Vec::new(),
            contacts: Vec::new(),
            opportunities: Vec::new(),
            leads: Vec::new(),
            cases: Vec::new(),
            mails: BTreeSet::new(),
        }
    }

    /// Builds a record.
    pub(crate) fn record(
        &mut self,
        object: &'static str,
        key: &str,
        fields: Fields,
        links: Vec<SampleLink>,
        moment: Moment,
    ) -> SampleRecord {
        let created_at = self.calendar.past(&mut self.random, i64::from(moment.day), moment.zh, moment.watch);
        let fields = fields.into_map();
        SampleRecord { object, key: key.to_owned(), fields, links, created_days_ago: moment.day, created_at }
    }

    /// Builds a record and puts it after the others.
    pub(crate) fn push(
        &mut self,
        object: &'static str,
        key: &str,
        fields: Fields,
        links: Vec<SampleLink>,
        moment: Moment,
    ) {
        let record = self.record(object, key, fields, links, moment);
        self.sample.records.push(record);
    }

    /// Sets owner, unit and team.
    pub(crate) fn own(&self, fields: &mut Fields, owner: usize) {
        if let Some(owner) = self.owners.get(owner) {
            fields.point("owner", &owner.key).point("unit", owner.unit).point("team", owner.team);
        }
    }

    /// Somebody of this branch and trade; those who sign in get three times as much, so that their lists are full.
    pub(crate) fn any_owner(&mut self, zh: bool, service: bool) -> usize {
        let fitting: Vec<(usize, u64)> = self
            .owners
            .iter()
            .enumerate()
            .filter(|(_, owner)| owner.zh == zh && owner.service == service)
            .map(|(index, owner)| (index, if owner.sign_in { 3 } else { 1 }))
            .collect();
        self.random.weighted(&fitting)
    }

    /// An address that no other record has.
    pub(crate) fn mail(&mut self, local: &str, domain: &str) -> String {
        let mut address = format!("{local}@{domain}");
        let mut number = 2;
        while !self.mails.insert(address.clone()) {
            address = format!("{local}{number}@{domain}");
            number += 1;
        }
        address
    }

    /// Up to `most` links to tags that may be used on this object.
    pub(crate) fn tag_links(&mut self, object: &str, most: u64) -> Vec<SampleLink> {
        let mut links: Vec<SampleLink> = Vec::new();
        for _ in 0..self.random.below(most + 1) {
            let index = self.random.index(self.tags.len());
            let Some((key, objects)) = self.tags.get(index) else { continue };
            if objects.contains(&object) && !links.iter().any(|link| link.target == *key) {
                links.push(SampleLink { relation: "tags", target: key.clone(), role: None });
            }
        }
        links
    }
}
