-- Bulk changes that go on by themselves, and what became of each of their records. The change is sealed: it holds values.
CREATE TABLE "k_job" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "object" TEXT COLLATE "C" NOT NULL,
  "state" TEXT COLLATE "C" NOT NULL,
  "change" BYTEA NOT NULL,
  "undo_of" BYTEA,
  "undone_by" BYTEA,
  "total" BIGINT NOT NULL,
  "done" BIGINT NOT NULL,
  "same" BIGINT NOT NULL,
  "failed" BIGINT NOT NULL,
  "at" BIGINT NOT NULL,
  "beat_at" BIGINT NOT NULL,
  "finished_at" BIGINT
);
CREATE INDEX "k_job_user" ON "k_job" ("user_id", "at");
CREATE TABLE "k_job_row" (
  "job" BYTEA NOT NULL,
  "ord" BIGINT NOT NULL,
  "record" BYTEA NOT NULL,
  "outcome" TEXT COLLATE "C" NOT NULL,
  "version" BIGINT,
  "code" TEXT COLLATE "C",
  "detail" TEXT COLLATE "C",
  PRIMARY KEY ("job", "ord")
);
