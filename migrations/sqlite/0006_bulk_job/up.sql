-- Bulk changes that go on by themselves, and what became of each of their records. The change is sealed: it holds values.
CREATE TABLE "k_job" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "object" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "change" BLOB NOT NULL,
  "undo_of" BLOB,
  "undone_by" BLOB,
  "total" INTEGER NOT NULL,
  "done" INTEGER NOT NULL,
  "same" INTEGER NOT NULL,
  "failed" INTEGER NOT NULL,
  "at" INTEGER NOT NULL,
  "beat_at" INTEGER NOT NULL,
  "finished_at" INTEGER
) STRICT;
CREATE INDEX "k_job_user" ON "k_job" ("user_id", "at");
CREATE TABLE "k_job_row" (
  "job" BLOB NOT NULL,
  "ord" INTEGER NOT NULL,
  "record" BLOB NOT NULL,
  "outcome" TEXT NOT NULL,
  "version" INTEGER,
  "code" TEXT,
  "detail" TEXT,
  PRIMARY KEY ("job", "ord")
) STRICT;
