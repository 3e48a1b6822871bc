-- Lists that were taken out as files. The files lie beside the database; what was asked and what came of it is sealed.
CREATE TABLE "k_export" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "state" TEXT COLLATE "C" NOT NULL,
  "boot" BYTEA NOT NULL,
  "body" BYTEA NOT NULL,
  "at" BIGINT NOT NULL,
  "beat_at" BIGINT NOT NULL
);
CREATE INDEX "k_export_user" ON "k_export" ("user_id", "at");
CREATE INDEX "k_export_beat" ON "k_export" ("beat_at");
