//! The limits of the appliance by name, for the API description. A test compares this list with the file of limits.

use kernel::limits as all;
use serde_json::{Map, Value as Json};

macro_rules! named {
    ($($name:ident),* $(,)?) => {
        /// Every limit and its value.
        pub(super) fn limits() -> Map<String, Json> {
            [$((stringify!($name), Json::from(all::$name))),*].into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        }
    };
}

named! {
    BODY_BYTES_MAX,
    PAGE_ROWS_MAX,
    PAGE_ROWS_DEFAULT,
    FILTER_LEAVES_MAX,
    FILTER_DEPTH_MAX,
    FILTER_IN_MAX,
    SORT_FIELDS_MAX,
    LIST_FIELDS_MAX,
    SEARCH_CHARS_MAX,
    SEARCH_HITS_PER_OBJECT,
    BULK_RECORDS_MAX,
    SEALED_CANDIDATES_MAX,
    CASCADE_RECORDS_MAX,
    TEXT_CHARS_MAX,
    LONG_TEXT_CHARS_MAX,
    JSON_BYTES_MAX,
    OBJECT_FIELDS_MAX,
    OBJECTS_MAX,
    ENUM_OPTIONS_MAX,
    NAME_CHARS_MAX,
    AUDIT_ENTRY_BYTES_MAX,
    PURPOSE_CHARS_MAX,
    IDEMPOTENCY_KEY_CHARS_MAX,
    IDEMPOTENCY_SECONDS,
    SESSION_IDLE_SECONDS,
    SESSION_ABSOLUTE_SECONDS,
    SESSIONS_PER_USER_MAX,
    TOKEN_LIFE_SECONDS_MAX,
    TOKENS_PER_USER_MAX,
    PASSWORD_CHARS_MIN,
    PASSWORD_CHARS_MAX,
    SIGN_IN_FREE_FAILURES,
    SIGN_IN_DELAY_SECONDS_MAX,
    IMPORT_CELL_BYTES_MAX,
    IMPORT_COLUMNS_MAX,
    IMPORT_BATCH_ROWS,
    LOGIN_CHARS_MAX,
    REQUEST_ID_CHARS_MAX,
    SIGN_IN_SOURCE_FREE_FAILURES,
    SIGN_IN_TABLE_ENTRIES_MAX,
    PASSWORD_HASHES_PARALLEL_MAX,
    PASSWORD_HASHES_WAITING_MAX,
    ACTOR_CACHE_ENTRIES_MAX,
    TOKEN_NAME_CHARS_MAX,
    TOKEN_SCOPES_MAX,
    TOKEN_NETWORKS_MAX,
    SEALED_VALUE_BYTES_MAX,
    SEALED_BLOB_BYTES_MAX,
    KEY_CACHE_ENTRIES_MAX,
    UNSEAL_SLOTS_MAX,
    UNSEAL_LABEL_CHARS_MAX,
    UNSEAL_FREE_FAILURES,
    UNSEAL_WAIT_SECONDS_MAX,
    UNSEAL_SOURCES_MAX,
    PASSPHRASE_BYTES_MAX,
    UNSEAL_FILE_BYTES_MAX,
    IMPORT_ROW_BYTES_MAX,
    IMPORT_MAPPING_BYTES_MAX,
    SEARCH_TOKENS_PER_TEXT_MAX,
    SEARCH_TOKENS_PER_QUERY_MAX,
    OBJECT_COLUMNS_MAX,
    OBJECT_INDEXES_MAX,
    OBJECT_LINKS_MAX,
    REFERENCE_TARGETS_MAX,
    TABLE_NAME_BYTES_MAX,
    LABEL_CHARS_MAX,
    FIELD_ALIASES_MAX,
    PLAN_CHANGES_MAX,
    URL_BYTES_MAX,
    HEADER_BYTES_MAX,
    CONNECTIONS_MAX,
    REQUEST_HEAD_SECONDS_MAX,
    REQUEST_BODY_SECONDS_MAX,
    KEEP_ALIVE_SECONDS,
    RATE_REQUESTS_PER_SECOND,
    RATE_REQUESTS_BURST,
    RATE_SOURCES_MAX,
    CONFIG_BYTES_MAX,
    PREFERENCES_PER_USER_MAX,
    PREFERENCE_KEY_CHARS_MAX,
    PREFERENCE_BYTES_MAX,
    VIEWS_PER_USER_MAX,
    VIEW_BYTES_MAX,
    VIEW_ROLES_MAX,
    VIEW_WIDTH_PIXELS_MAX,
    SUMMARY_FIELDS_MAX,
    SUMMARY_SUMS_MAX,
    SUMMARY_GROUPS_MAX,
    SUMMARY_GROUPS_FOUND_MAX,
    TIMELINE_PLANNED_MAX,
    ACCESS_LOG_ENTRIES_MAX,
    EVENT_STREAMS_PER_USER_MAX,
    EVENT_STREAMS_MAX,
    EVENTS_RESUMED_MAX,
    EVENT_HEARTBEAT_SECONDS,
    PRESENCE_SECONDS,
    PRESENCE_RECORDS_PER_USER_MAX,
    NOTIFICATIONS_PER_USER_MAX,
    NOTIFICATIONS_MARKED_MAX,
    MENTIONS_PER_TEXT_MAX,
    BULK_JOB_RECORDS_MAX,
    BULK_JOBS_PARALLEL_MAX,
    BULK_JOB_SECONDS,
    BULK_UNDO_SECONDS,
    CALENDAR_ENTRIES_MAX,
    ATTACHMENT_BYTES_MAX,
    ATTACHMENTS_PER_RECORD_MAX,
    FILE_NAME_CHARS_MAX,
    UPLOAD_SECONDS_MAX,
    IMPORT_FILE_BYTES_MAX,
    IMPORTS_PER_USER_MAX,
    IMPORTS_PARALLEL_MAX,
    IMPORT_SECONDS,
    IMPORT_REJECTED_MAX,
    IMPORT_SAMPLE_ROWS,
    IMPORT_ERRORS_SHOWN,
    DUPLICATE_FIELDS_MAX,
    DUPLICATES_SHOWN,
    DUPLICATE_CHECKS_PER_HOUR_MAX,
    SETTING_CHARS_MAX,
    RIBBON_CHARS_MAX,
    TIME_ZONE_CHARS_MAX,
    SAMPLE_NAMED_MAX,
    EXPORT_ROWS_MAX,
    EXPORT_BYTES_MAX,
    EXPORT_SECONDS,
    EXPORTS_PER_USER_MAX,
    CALENDAR_LOOKS_PER_HOUR_MAX,
    ROLES_CUSTOM_MAX,
    ROLE_BYTES_MAX,
    ROLE_FIELDS_MAX,
    ROLE_VERSIONS_MAX,
    ROLE_PEOPLE_MAX,
}

#[cfg(test)]
mod tests {
    /// Whoever adds a limit adds it here, too.
    #[test]
    fn every_limit_is_described() {
        let source = include_str!("../../kernel/limits.rs");
        let known: Vec<&str> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub const "))
            .filter_map(|rest| rest.split(':').next())
            .collect();
        let described = super::limits();
        assert!(known.len() > 50);
        for name in &known {
            assert!(described.contains_key(*name), "src/api/openapi/limits.rs does not name {name}");
        }
        assert_eq!(known.len(), described.len());
    }
}
