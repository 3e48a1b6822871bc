-- Imports that wait or go on by themselves. Their files lie beside the database; what is known of file and mapping, and what
-- each step did, is sealed.
CREATE TABLE "k_import" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "state" TEXT COLLATE "C" NOT NULL,
  "wanted" TEXT COLLATE "C" NOT NULL,
  "boot" BYTEA NOT NULL,
  "body" BYTEA NOT NULL,
  "progress" TEXT COLLATE "C" NOT NULL,
  "at" BIGINT NOT NULL,
  "beat_at" BIGINT NOT NULL,
  "finished_at" BIGINT
);
CREATE INDEX "k_import_user" ON "k_import" ("user_id", "at");
CREATE TABLE "k_import_step" (
  "import" BYTEA NOT NULL,
  "ord" BIGINT NOT NULL,
  "body" BYTEA NOT NULL,
  PRIMARY KEY ("import", "ord")
);
