//! Every limit of the appliance, in one place. A refusal names the limit by these names.

/// Bytes of one request body.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows of one page.
pub const PAGE_ROWS_MAX: usize = 200;
/// Rows of one page when the caller does not say.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// Leaves of one filter tree.
pub const FILTER_LEAVES_MAX: usize = 50;
/// Nesting of one filter tree.
pub const FILTER_DEPTH_MAX: usize = 8;
/// Values of one `in` list.
pub const FILTER_IN_MAX: usize = 500;
/// Fields one list can be sorted by.
pub const SORT_FIELDS_MAX: usize = 4;
/// Fields one list can ask for.
pub const LIST_FIELDS_MAX: usize = 100;
/// Characters of one search text.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Hits per object of a global search.
pub const SEARCH_HITS_PER_OBJECT: usize = 5;
/// Records of one bulk call.
pub const BULK_RECORDS_MAX: usize = 1_000;
/// Rows a search over a sealed field may open before it gives up with an error.
pub const SEALED_CANDIDATES_MAX: usize = 2_000;
/// Records that one merge takes into the one that stays.
pub const MERGE_LOSERS_MAX: usize = 4;
/// Records from one to the next that an address is followed through merges.
pub const MERGE_STEPS_MAX: usize = 16;
/// Records that one delete or merge may touch beside those it names.
pub const CASCADE_RECORDS_MAX: usize = 10_000;
/// Characters of a text field unless its definition says less.
pub const TEXT_CHARS_MAX: usize = 1_000;
/// Characters of a long or rich text field.
pub const LONG_TEXT_CHARS_MAX: usize = 100_000;
/// Bytes of a JSON field.
pub const JSON_BYTES_MAX: usize = 64 * 1024;
/// Fields of one object.
pub const OBJECT_FIELDS_MAX: usize = 400;
/// Custom objects of one appliance.
pub const OBJECTS_MAX: usize = 300;
/// Options of one enum field.
pub const ENUM_OPTIONS_MAX: usize = 500;
/// Characters of an object, field or option name.
pub const NAME_CHARS_MAX: usize = 48;
/// Bytes of one audit entry.
pub const AUDIT_ENTRY_BYTES_MAX: usize = 16 * 1024;
/// Characters of a purpose.
pub const PURPOSE_CHARS_MAX: usize = 200;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_SECONDS: i64 = 24 * 3600;
/// Idle time after which a session ends.
pub const SESSION_IDLE_SECONDS: i64 = 30 * 60;
/// Time after which a session ends in any case.
pub const SESSION_ABSOLUTE_SECONDS: i64 = 12 * 3600;
/// Sessions one user can have at a time; the oldest makes room.
pub const SESSIONS_PER_USER_MAX: usize = 20;
/// Longest life of an API token.
pub const TOKEN_LIFE_SECONDS_MAX: i64 = 366 * 24 * 3600;
/// API tokens one user can have.
pub const TOKENS_PER_USER_MAX: usize = 50;
/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Most characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Failed sign-ins of one login before waiting begins.
pub const SIGN_IN_FREE_FAILURES: u32 = 5;
/// Longest wait after failed sign-ins.
pub const SIGN_IN_DELAY_SECONDS_MAX: i64 = 15 * 60;
/// Bytes of one cell of an import file.
pub const IMPORT_CELL_BYTES_MAX: usize = 1024 * 1024;
/// Columns of an import file.
pub const IMPORT_COLUMNS_MAX: usize = 1_000;
/// Rows an import commits together.
pub const IMPORT_BATCH_ROWS: usize = 500;
/// Characters of a login.
pub const LOGIN_CHARS_MAX: usize = 64;
/// Characters of a request id.
pub const REQUEST_ID_CHARS_MAX: usize = 64;
/// Failed sign-ins from one address before waiting begins; wider than for a login, because an office shares an address.
pub const SIGN_IN_SOURCE_FREE_FAILURES: u32 = 50;
/// Logins and addresses the lock-out remembers.
pub const SIGN_IN_TABLE_ENTRIES_MAX: usize = 50_000;
/// Password hashes computed at a time; each takes 19 MiB.
pub const PASSWORD_HASHES_PARALLEL_MAX: usize = 4;
/// Requests that may wait for a password hash.
pub const PASSWORD_HASHES_WAITING_MAX: usize = 64;
/// Sessions and tokens whose facts are kept in memory for some seconds.
pub const ACTOR_CACHE_ENTRIES_MAX: usize = 10_000;
/// Characters of the name of an API token.
pub const TOKEN_NAME_CHARS_MAX: usize = 80;
/// Scopes of one API token.
pub const TOKEN_SCOPES_MAX: usize = 50;
/// Networks from which one API token may be used.
pub const TOKEN_NETWORKS_MAX: usize = 20;
/// Bytes of one value before it is sealed: the largest pad bucket (1 MiB) less its one byte of padding.
pub const SEALED_VALUE_BYTES_MAX: usize = 1024 * 1024 - 1;
/// Bytes of one sealed change or appliance-internal blob before it is sealed.
pub const SEALED_BLOB_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Opened data keys the vault keeps in memory.
pub const KEY_CACHE_ENTRIES_MAX: usize = 20_000;
/// Unseal slots of one appliance.
pub const UNSEAL_SLOTS_MAX: usize = 16;
/// Characters of the label of an unseal slot.
pub const UNSEAL_LABEL_CHARS_MAX: usize = 100;
/// Failed attempts to unseal from one address before the next has to wait.
pub const UNSEAL_FREE_FAILURES: u64 = 3;
/// Longest wait between two attempts to unseal from one address, in seconds.
pub const UNSEAL_WAIT_SECONDS_MAX: u64 = 60;
/// Addresses whose failed attempts to unseal are told apart.
pub const UNSEAL_SOURCES_MAX: usize = 1_000;
/// Bytes of an unseal passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;
/// Recovery shares of one set; the standard (SLIP-0039) has four bits for their number.
pub const RECOVERY_SHARES_MAX: u8 = 16;
/// Bytes of the words of one recovery share.
pub const RECOVERY_SHARE_BYTES_MAX: usize = 1_024;
/// How long recovery shares wait in memory for the next one, in seconds.
pub const RECOVERY_SHARES_WAIT_SECONDS: u64 = 15 * 60;
/// Bytes of the file of unseal slots.
pub const UNSEAL_FILE_BYTES_MAX: u64 = 256 * 1024;
/// Bytes of one row of an import file.
pub const IMPORT_ROW_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a mapping file.
pub const IMPORT_MAPPING_BYTES_MAX: usize = 1024 * 1024;
/// Search tokens of one text.
pub const SEARCH_TOKENS_PER_TEXT_MAX: usize = 200;
/// Conditions of one search text.
pub const SEARCH_TOKENS_PER_QUERY_MAX: usize = 16;
/// Columns of one object's table; PostgreSQL has room for 1,600.
pub const OBJECT_COLUMNS_MAX: usize = 1_500;
/// Indexed fields of one object; each makes every write dearer.
pub const OBJECT_INDEXES_MAX: usize = 24;
/// Relations that one object defines.
pub const OBJECT_LINKS_MAX: usize = 100;
/// Objects that one polymorphic reference may point to.
pub const REFERENCE_TARGETS_MAX: usize = 20;
/// Bytes of a table's name: PostgreSQL's 63 less the suffixes of its indexes.
pub const TABLE_NAME_BYTES_MAX: usize = 54;
/// Characters of a label.
pub const LABEL_CHARS_MAX: usize = 200;
/// Other names of one field in files to import.
pub const FIELD_ALIASES_MAX: usize = 50;
/// Sections of one layout.
pub const LAYOUT_SECTIONS_MAX: usize = 30;
/// Facts under the name of a record.
pub const LAYOUT_HIGHLIGHTS_MAX: usize = 6;
/// Changes of definitions in one plan.
pub const PLAN_CHANGES_MAX: usize = 200;
/// Bytes of the address of one request, with its query.
pub const URL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of all headers of one request.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Connections open at a time, over all workers.
pub const CONNECTIONS_MAX: usize = 20_000;
/// Time in which the headers of a request must have arrived.
pub const REQUEST_HEAD_SECONDS_MAX: u64 = 10;
/// Time in which the body of a request must have arrived.
pub const REQUEST_BODY_SECONDS_MAX: u64 = 60;
/// Time an idle connection is kept open.
pub const KEEP_ALIVE_SECONDS: u64 = 75;
/// Requests of one network address per second, in the long run; an office may share an address.
pub const RATE_REQUESTS_PER_SECOND: u32 = 500;
/// Requests of one network address at once, before the rate above holds.
pub const RATE_REQUESTS_BURST: u32 = 2_000;
/// Network addresses the rate limit remembers.
pub const RATE_SOURCES_MAX: usize = 50_000;
/// Bytes of the configuration file.
pub const CONFIG_BYTES_MAX: u64 = 64 * 1024;
/// Preferences one user can keep.
pub const PREFERENCES_PER_USER_MAX: usize = 200;
/// Characters of the key of a preference.
pub const PREFERENCE_KEY_CHARS_MAX: usize = 80;
/// Bytes of the JSON of one preference.
pub const PREFERENCE_BYTES_MAX: usize = 16 * 1024;
/// Saved views one user can make for one object.
pub const VIEWS_PER_USER_MAX: usize = 50;
/// Bytes of the definition of one saved view.
pub const VIEW_BYTES_MAX: usize = 32 * 1024;
/// Roles one saved view can be shared with.
pub const VIEW_ROLES_MAX: usize = 50;
/// Width of a column of a saved view, in pixels.
pub const VIEW_WIDTH_PIXELS_MAX: i64 = 2_000;
/// Fields one summary can group by.
pub const SUMMARY_FIELDS_MAX: usize = 2;
/// Fields one summary can add up.
pub const SUMMARY_SUMS_MAX: usize = 8;
/// Groups of one summary in an answer.
pub const SUMMARY_GROUPS_MAX: usize = 500;
/// Groups the engine may find for one summary before it is refused.
pub const SUMMARY_GROUPS_FOUND_MAX: usize = 20_000;
/// Planned activities above a timeline.
pub const TIMELINE_PLANNED_MAX: usize = 50;
/// Entries of the log that one page of an access log looks through; the next page goes on behind them.
pub const ACCESS_LOG_ENTRIES_MAX: u64 = 50_000;
/// Streams of events one user can have open.
pub const EVENT_STREAMS_PER_USER_MAX: usize = 8;
/// Streams of events open at a time, over all users.
pub const EVENT_STREAMS_MAX: usize = 2_000;
/// Events a resumed stream is told of; beyond it is told to begin anew.
pub const EVENTS_RESUMED_MAX: usize = 1_000;
/// Time between two signs of life of a stream without events.
pub const EVENT_HEARTBEAT_SECONDS: u64 = 15;
/// Time after which somebody who is silent no longer counts as present on a record.
pub const PRESENCE_SECONDS: i64 = 45;
/// Records one session can be present on.
pub const PRESENCE_RECORDS_PER_USER_MAX: usize = 20;
/// Notifications one user keeps; the oldest make room.
pub const NOTIFICATIONS_PER_USER_MAX: usize = 2_000;
/// Notifications one call can mark as read.
pub const NOTIFICATIONS_MARKED_MAX: usize = 500;
/// People one text can mention.
pub const MENTIONS_PER_TEXT_MAX: usize = 20;
/// Records of one bulk job.
pub const BULK_JOB_RECORDS_MAX: usize = 100_000;
/// Bulk jobs of one user that run at a time.
pub const BULK_JOBS_PARALLEL_MAX: usize = 2;
/// How long the results of a bulk job are kept.
pub const BULK_JOB_SECONDS: i64 = 30 * 24 * 3600;
/// Time in which a bulk job can be undone.
pub const BULK_UNDO_SECONDS: i64 = 24 * 3600;
/// Appointments in one calendar feed.
pub const CALENDAR_ENTRIES_MAX: usize = 2_000;
/// Bytes of one file of a record.
pub const ATTACHMENT_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// Files of one record.
pub const ATTACHMENTS_PER_RECORD_MAX: usize = 200;
/// Characters of the name of a file.
pub const FILE_NAME_CHARS_MAX: usize = 200;
/// Time in which a file must have arrived.
pub const UPLOAD_SECONDS_MAX: u64 = 20 * 60;
/// Bytes of a file to import over the API.
pub const IMPORT_FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Imports one user can have, with those that have ended.
pub const IMPORTS_PER_USER_MAX: usize = 20;
/// Imports of one user that are at work at a time.
pub const IMPORTS_PARALLEL_MAX: usize = 1;
/// How long an import and its file are kept after it was last at work.
pub const IMPORT_SECONDS: i64 = 30 * 24 * 3600;
/// Rejected rows of one import over the API before it stops: then the mapping is wrong, not the rows.
pub const IMPORT_REJECTED_MAX: u64 = 100_000;
/// Rows of the sample that an import shows.
pub const IMPORT_SAMPLE_ROWS: usize = 20;
/// Rejected rows that an import shows.
pub const IMPORT_ERRORS_SHOWN: usize = 50;
/// Values of one check for duplicates.
pub const DUPLICATE_FIELDS_MAX: usize = 20;
/// Candidates of one check for duplicates.
pub const DUPLICATES_SHOWN: usize = 5;
/// Checks for duplicates of one user per hour: enough for typing, too few for going through numbers.
pub const DUPLICATE_CHECKS_PER_HOUR_MAX: u32 = 600;
/// Characters of the name of the organisation.
pub const SETTING_CHARS_MAX: usize = 120;
/// Characters beside the kind of a ribbon.
pub const RIBBON_CHARS_MAX: usize = 80;
/// Characters of the name of a time zone.
pub const TIME_ZONE_CHARS_MAX: usize = 64;
/// Records that an answer about sample data names one by one.
pub const SAMPLE_NAMED_MAX: usize = 50;
/// Records of one export.
pub const EXPORT_ROWS_MAX: u64 = 100_000;
/// Bytes of the file of one export.
pub const EXPORT_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// How long the file of an export can be downloaded.
pub const EXPORT_SECONDS: i64 = 24 * 3600;
/// Exports one user can have at a time, with those whose files still lie there.
pub const EXPORTS_PER_USER_MAX: usize = 20;
/// Looks at one calendar feed per hour.
pub const CALENDAR_LOOKS_PER_HOUR_MAX: u32 = 60;
/// Custom roles of one appliance, those retired included.
pub const ROLES_CUSTOM_MAX: usize = 200;
/// Bytes of the definition of one role.
pub const ROLE_BYTES_MAX: usize = 64 * 1024;
/// Fields that one role names.
pub const ROLE_FIELDS_MAX: usize = 1_000;
/// How long a backup set stays open for browsing after somebody last looked, in seconds.
pub const PICK_IDLE_SECONDS: i64 = 30 * 60;
/// Records that are brought back from a set in one go, and that one comparison remembers.
pub const PICK_RECORDS_MAX: usize = 100_000;
/// Fields that are named when a record is brought back.
pub const PICK_FIELDS_MAX: usize = 500;
/// Versions of a role that its history shows, the newest first.
pub const ROLE_VERSIONS_MAX: usize = 100;
/// People that the preview of a role's change names; beyond, it counts.
pub const ROLE_PEOPLE_MAX: usize = 500;
/// How long a node signs checkpoints of the log without a sign of life, before another does.
pub const LEASE_SEALING_SECONDS: u64 = 6;
/// The same for what is done by the clock and for backup sets.
pub const LEASE_SECONDS: u64 = 20;
/// A node that is silent for so long counts as gone, and what it was about as interrupted.
pub const NODE_SILENCE_SECONDS: i64 = 15;
/// How old a file of several nodes is at least that is removed because no row names it: longer than any upload or export.
pub const FILE_UNNAMED_SECONDS: i64 = 24 * 3600;
/// Bytes of the kit of a further node.
pub const NODE_KIT_BYTES_MAX: u64 = 1024 * 1024;
