//! The closed lists of an audit entry, each with the numbers that stand for it in the log.
//! A number never changes its meaning and is never reused; new ones are appended.

/// An enum with a number in the log and a name in answers.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident $number:literal $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$note])* $variant),* }
        impl $name {
            /// All of them, by number.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// Its number in the log.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number),* }
            }
            /// Its name in answers and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// The one with this number.
            pub fn from_number(number: u64) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| u64::from(each.number()) == number)
            }
            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.name() == name)
            }
        }
    };
}

codes! {
    /// What was done.
    Verb {
        /// One record was opened.
        Read 1 "read",
        /// A page of a list was shown.
        List 2 "list",
        /// A search was answered.
        Search 3 "search",
        /// The history of a record was shown.
        History 4 "history",
        /// A masked value was shown in clear.
        Reveal 5 "reveal",
        /// A record was made.
        Create 6 "create",
        /// A record was changed.
        Update 7 "update",
        /// A record was deleted.
        Delete 8 "delete",
        /// A deleted record was brought back.
        Restore 9 "restore",
        /// Two records were linked.
        Link 10 "link",
        /// Two records were unlinked.
        Unlink 11 "unlink",
        /// A bulk call as a whole; each record has its own entry too.
        Bulk 12 "bulk",
        /// An import as a whole; each record has its own entry too.
        Import 13 "import",
        /// Records left as a file.
        Export 14 "export",
        /// A person or program signed in.
        SignIn 15 "sign_in",
        /// A sign-in was refused.
        SignInFailed 16 "sign_in_failed",
        /// A person signed out.
        SignOut 17 "sign_out",
        /// A session ended otherwise.
        SessionEnd 18 "session_end",
        /// An API token was made.
        TokenCreate 19 "token_create",
        /// An API token was revoked.
        TokenRevoke 20 "token_revoke",
        /// A password was set.
        PasswordChange 21 "password_change",
        /// An act that has no verb of its own was denied.
        Denied 22 "denied",
        /// The appliance started.
        Start 23 "start",
        /// The appliance stopped.
        Stop 24 "stop",
        /// The appliance was alive.
        Heartbeat 25 "heartbeat",
        /// The wall clock was moved.
        ClockStep 26 "clock_step",
        /// The appliance got its root key.
        Unseal 27 "unseal",
        /// The appliance gave up its root key.
        Seal 28 "seal",
        /// The log itself was read.
        AuditRead 29 "audit_read",
        /// The log was verified.
        AuditVerify 30 "audit_verify",
        /// Objects, fields or layouts were changed.
        DefinitionChange 31 "definition_change",
        /// Roles or their assignment were changed.
        RoleChange 32 "role_change",
        /// Keys or unseal slots were changed.
        KeyChange 33 "key_change",
        /// Settings were changed.
        ConfigChange 34 "config_change",
        /// A background job ran.
        Job 35 "job",
        /// A saved view of a list was made, changed or taken away.
        ViewChange 36 "view_change",
        /// Counts and sums over records were shown.
        Summary 37 "summary",
        /// It was shown who saw a record.
        AccessLog 38 "access_log",
        /// A stream of changes was opened.
        Events 39 "events",
        /// A secret calendar address was made or revoked.
        CalendarFeed 40 "calendar_feed",
        /// The files of a record were listed.
        AttachmentList 41 "attachment_list",
        /// A file of a record was opened.
        AttachmentRead 42 "attachment_read",
        /// A file was added to a record.
        AttachmentAdd 43 "attachment_add",
        /// A file was taken from a record.
        AttachmentRemove 44 "attachment_remove",
        /// It was asked what somebody may do, and why.
        RightsCheck 45 "rights_check",
        /// Records were merged into one; what moved has entries of its own.
        Merge 46 "merge",
        /// A backup set was made, or could not be.
        Backup 47 "backup",
        /// A backup set was removed.
        BackupRemove 48 "backup_remove",
        /// A backup set was restored into a scratch folder and looked through.
        Drill 49 "drill",
        /// The key that opens the backup sets was shown.
        BackupKey 50 "backup_key",
        /// A backup set was cut into volumes for off-line media.
        DrExport 51 "dr_export",
        /// It was said that a backup set stays, or no longer.
        BackupPin 52 "backup_pin",
        /// All that one user may take was taken out in neutral formats; its pages have entries of their own.
        DrDump 53 "dr_dump",
        /// Somebody looked into a backup set, or brought records back from one; what changed has entries of its own.
        BackupPick 54 "backup_pick",
        /// A letter was given to the relay, or was not taken by it; the note says which alarm, or that it was the digest.
        Mail 55 "mail",
        /// The appliance was brought to another version, or back, or could not be; or there is no way back any more.
        Upgrade 56 "upgrade",
        /// A file for the makers was written: versions, states, counts, lines of the journal. No record is in it.
        SupportBundle 57 "support_bundle",
    }
}
codes! {
    /// Who acts.
    ActorKind {
        /// Nobody known: before sign-in.
        Anonymous 1 "anonymous",
        /// A user of the appliance.
        User 2 "user",
        /// Someone with a shell on the machine.
        LocalOperator 3 "local_operator",
        /// The appliance itself.
        System 4 "system",
    }
}
codes! {
    /// How the actor was authenticated.
    AuthMethod {
        /// Not at all.
        None 1 "none",
        /// With a password, at the start of the session.
        Password 2 "password",
        /// With an API token.
        Token 3 "token",
        /// By the operating system, as who runs the command line.
        Cli 4 "cli",
    }
}
codes! {
    /// Through which door the request came.
    Channel {
        /// The web interface.
        Ui 1 "ui",
        /// The API, by a program.
        Api 2 "api",
        /// The command line.
        Cli 3 "cli",
        /// A background job.
        Job 4 "job",
        /// An import.
        Import 5 "import",
        /// The appliance itself.
        System 6 "system",
    }
}
codes! {
    /// What the reader got of a field.
    How {
        /// The value.
        Clear 1 "clear",
        /// A masked value.
        Masked 2 "masked",
        /// Only whether there is one.
        Exists 3 "exists",
        /// Nothing, but it was used to choose or order the records.
        UsedInFilter 4 "used_in_filter",
    }
}
codes! {
    /// What was decided.
    Effect {
        /// The act was permitted.
        Allow 1 "allow",
        /// The act was refused.
        Deny 2 "deny",
    }
}
codes! {
    /// How the act ended.
    ActOutcome {
        /// As asked.
        Ok 1 "ok",
        /// It failed; nothing was changed.
        Failed 2 "failed",
    }
}
codes! {
    /// Which part of the act this entry tells. Intent and outcome of one act carry the same request id.
    Phase {
        /// The whole act.
        Single 1 "single",
        /// It is about to happen outside the database.
        Intent 2 "intent",
        /// What became of the intent.
        Outcome 3 "outcome",
    }
}
