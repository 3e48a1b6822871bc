-- System tables of the appliance. Record tables are made from definitions, not here.
-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs of 16 bytes.

CREATE TABLE "k_meta" (
  "key" TEXT PRIMARY KEY,
  "value" TEXT NOT NULL
) STRICT;

-- Definitions: objects, their fields, and the options of enum fields as rows.
CREATE TABLE "k_object" (
  "name" TEXT PRIMARY KEY,
  "definition" TEXT NOT NULL
) STRICT;
CREATE TABLE "k_field" (
  "object" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "ord" INTEGER NOT NULL,
  "definition" TEXT NOT NULL,
  PRIMARY KEY ("object", "name")
) STRICT;
CREATE TABLE "k_enum_value" (
  "object" TEXT NOT NULL,
  "field" TEXT NOT NULL,
  "code" TEXT NOT NULL,
  "ord" INTEGER NOT NULL,
  "en" TEXT NOT NULL,
  "zh" TEXT NOT NULL,
  "active" INTEGER NOT NULL,
  PRIMARY KEY ("object", "field", "code")
) STRICT;

-- The log: dense sequence numbers in commit order; "changed" names the record whose history the entry belongs to.
CREATE TABLE "k_audit" (
  "seq" INTEGER PRIMARY KEY,
  "at" INTEGER NOT NULL,
  "changed" BLOB,
  "bytes" BLOB NOT NULL
) STRICT;
CREATE INDEX "k_audit_changed" ON "k_audit" ("changed", "seq") WHERE "changed" IS NOT NULL;

-- The key ring: data keys wrapped by the key-ring key, and the appliance's own named keys.
CREATE TABLE "k_key" (
  "subject" BLOB NOT NULL,
  "class" INTEGER NOT NULL,
  "generation" INTEGER NOT NULL,
  "wrapped" BLOB NOT NULL,
  PRIMARY KEY ("subject", "class", "generation")
) STRICT, WITHOUT ROWID;
CREATE TABLE "k_named_key" (
  "name" TEXT PRIMARY KEY,
  "wrapped" BLOB NOT NULL
) STRICT;

-- Credentials of users (their records lie in the table "user"), sessions, tokens, roles.
CREATE TABLE "k_credential" (
  "user_id" BLOB PRIMARY KEY,
  "login" TEXT NOT NULL UNIQUE,
  "password_hash" TEXT,
  "auth_epoch" INTEGER NOT NULL,
  "failed_count" INTEGER NOT NULL,
  "last_failed_at" INTEGER,
  "last_sign_in_at" INTEGER,
  "last_sign_in_from" TEXT
) STRICT;
CREATE TABLE "k_session" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "digest" BLOB NOT NULL,
  "auth_epoch" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "last_seen_at" INTEGER NOT NULL,
  "source" TEXT
) STRICT;
CREATE INDEX "k_session_user" ON "k_session" ("user_id");
CREATE TABLE "k_token" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "name" TEXT NOT NULL,
  "digest" BLOB NOT NULL,
  "scopes" TEXT NOT NULL,
  "allow" TEXT NOT NULL,
  "created_at" INTEGER NOT NULL,
  "expires_at" INTEGER NOT NULL,
  "last_used_at" INTEGER,
  "revoked_at" INTEGER
) STRICT;
CREATE INDEX "k_token_user" ON "k_token" ("user_id");
CREATE TABLE "k_role" (
  "name" TEXT PRIMARY KEY,
  "definition" TEXT NOT NULL
) STRICT;
CREATE TABLE "k_role_assignment" (
  "user_id" BLOB NOT NULL,
  "role" TEXT NOT NULL,
  "valid_from" INTEGER,
  "valid_to" INTEGER,
  "granted_by" BLOB NOT NULL,
  "granted_at" INTEGER NOT NULL,
  PRIMARY KEY ("user_id", "role")
) STRICT;

-- Names of records in other systems, for references and upserts of imports.
CREATE TABLE "k_external_id" (
  "object" TEXT NOT NULL,
  "system" TEXT NOT NULL,
  "external_id" TEXT NOT NULL,
  "record" BLOB NOT NULL,
  PRIMARY KEY ("object", "system", "external_id")
) STRICT, WITHOUT ROWID;
CREATE INDEX "k_external_id_record" ON "k_external_id" ("record");

-- First answers of requests with an idempotency key; the body is sealed.
CREATE TABLE "k_idempotency" (
  "actor" BLOB NOT NULL,
  "key" TEXT NOT NULL,
  "request" BLOB NOT NULL,
  "status" INTEGER NOT NULL,
  "body" BLOB NOT NULL,
  "at" INTEGER NOT NULL,
  PRIMARY KEY ("actor", "key")
) STRICT;
CREATE INDEX "k_idempotency_at" ON "k_idempotency" ("at");

-- The last human number given per object.
CREATE TABLE "k_number" (
  "object" TEXT PRIMARY KEY,
  "last" INTEGER NOT NULL
) STRICT;
