-- System tables of the appliance. Record tables are made from definitions, not here.
-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs of 16 bytes.

CREATE TABLE "k_meta" (
  "key" TEXT COLLATE "C" PRIMARY KEY,
  "value" TEXT COLLATE "C" NOT NULL
);

-- Definitions: objects, their fields, and the options of enum fields as rows.
CREATE TABLE "k_object" (
  "name" TEXT COLLATE "C" PRIMARY KEY,
  "definition" TEXT COLLATE "C" NOT NULL
);
CREATE TABLE "k_field" (
  "object" TEXT COLLATE "C" NOT NULL,
  "name" TEXT COLLATE "C" NOT NULL,
  "ord" BIGINT NOT NULL,
  "definition" TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY ("object", "name")
);
CREATE TABLE "k_enum_value" (
  "object" TEXT COLLATE "C" NOT NULL,
  "field" TEXT COLLATE "C" NOT NULL,
  "code" TEXT COLLATE "C" NOT NULL,
  "ord" BIGINT NOT NULL,
  "en" TEXT COLLATE "C" NOT NULL,
  "zh" TEXT COLLATE "C" NOT NULL,
  "active" BOOLEAN NOT NULL,
  PRIMARY KEY ("object", "field", "code")
);

-- The log: dense sequence numbers in commit order; "changed" names the record whose history the entry belongs to.
CREATE TABLE "k_audit" (
  "seq" BIGINT PRIMARY KEY,
  "at" BIGINT NOT NULL,
  "changed" BYTEA,
  "bytes" BYTEA NOT NULL
);
CREATE INDEX "k_audit_changed" ON "k_audit" ("changed", "seq") WHERE "changed" IS NOT NULL;

-- The key ring: data keys wrapped by the key-ring key, and the appliance's own named keys.
CREATE TABLE "k_key" (
  "subject" BYTEA NOT NULL,
  "class" BIGINT NOT NULL,
  "generation" BIGINT NOT NULL,
  "wrapped" BYTEA NOT NULL,
  PRIMARY KEY ("subject", "class", "generation")
);
CREATE TABLE "k_named_key" (
  "name" TEXT COLLATE "C" PRIMARY KEY,
  "wrapped" BYTEA NOT NULL
);

-- Credentials of users (their records lie in the table "user"), sessions, tokens, roles.
CREATE TABLE "k_credential" (
  "user_id" BYTEA PRIMARY KEY,
  "login" TEXT COLLATE "C" NOT NULL UNIQUE,
  "password_hash" TEXT COLLATE "C",
  "auth_epoch" BIGINT NOT NULL,
  "failed_count" BIGINT NOT NULL,
  "last_failed_at" BIGINT,
  "last_sign_in_at" BIGINT,
  "last_sign_in_from" TEXT COLLATE "C"
);
CREATE TABLE "k_session" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "digest" BYTEA NOT NULL,
  "auth_epoch" BIGINT NOT NULL,
  "created_at" BIGINT NOT NULL,
  "last_seen_at" BIGINT NOT NULL,
  "source" TEXT COLLATE "C"
);
CREATE INDEX "k_session_user" ON "k_session" ("user_id");
CREATE TABLE "k_token" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "name" TEXT COLLATE "C" NOT NULL,
  "digest" BYTEA NOT NULL,
  "scopes" TEXT COLLATE "C" NOT NULL,
  "allow" TEXT COLLATE "C" NOT NULL,
  "created_at" BIGINT NOT NULL,
  "expires_at" BIGINT NOT NULL,
  "last_used_at" BIGINT,
  "revoked_at" BIGINT
);
CREATE INDEX "k_token_user" ON "k_token" ("user_id");
CREATE TABLE "k_role" (
  "name" TEXT COLLATE "C" PRIMARY KEY,
  "definition" TEXT COLLATE "C" NOT NULL
);
CREATE TABLE "k_role_assignment" (
  "user_id" BYTEA NOT NULL,
  "role" TEXT COLLATE "C" NOT NULL,
  "valid_from" BIGINT,
  "valid_to" BIGINT,
  "granted_by" BYTEA NOT NULL,
  "granted_at" BIGINT NOT NULL,
  PRIMARY KEY ("user_id", "role")
);

-- Names of records in other systems, for references and upserts of imports.
CREATE TABLE "k_external_id" (
  "object" TEXT COLLATE "C" NOT NULL,
  "system" TEXT COLLATE "C" NOT NULL,
  "external_id" TEXT COLLATE "C" NOT NULL,
  "record" BYTEA NOT NULL,
  PRIMARY KEY ("object", "system", "external_id")
);
CREATE INDEX "k_external_id_record" ON "k_external_id" ("record");

-- First answers of requests with an idempotency key; the body is sealed.
CREATE TABLE "k_idempotency" (
  "actor" BYTEA NOT NULL,
  "key" TEXT COLLATE "C" NOT NULL,
  "request" BYTEA NOT NULL,
  "status" BIGINT NOT NULL,
  "body" BYTEA NOT NULL,
  "at" BIGINT NOT NULL,
  PRIMARY KEY ("actor", "key")
);
CREATE INDEX "k_idempotency_at" ON "k_idempotency" ("at");

-- The last human number given per object.
CREATE TABLE "k_number" (
  "object" TEXT COLLATE "C" PRIMARY KEY,
  "last" BIGINT NOT NULL
);
