-- Backup sets, a row for each target that was to get one, and the drills that restored one. What a set holds stands in its manifest.
CREATE TABLE "k_backup" (
  "sequence" INTEGER NOT NULL,
  "target" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "made_at" INTEGER NOT NULL,
  "ended_at" INTEGER,
  "bytes" INTEGER NOT NULL,
  "verified_at" INTEGER,
  "proven_at" INTEGER,
  "marked_at" INTEGER,
  "pinned" INTEGER NOT NULL,
  "detail" TEXT NOT NULL,
  PRIMARY KEY ("sequence", "target")
) STRICT;
CREATE TABLE "k_drill" (
  "at" INTEGER NOT NULL,
  "sequence" INTEGER NOT NULL,
  "target" TEXT NOT NULL,
  "ok" INTEGER NOT NULL,
  "millis" INTEGER NOT NULL,
  "report" TEXT NOT NULL,
  PRIMARY KEY ("at", "sequence", "target")
) STRICT;
