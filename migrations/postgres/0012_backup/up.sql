-- Backup sets, a row for each target that was to get one, and the drills that restored one. What a set holds stands in its manifest.
CREATE TABLE "k_backup" (
  "sequence" BIGINT NOT NULL,
  "target" TEXT COLLATE "C" NOT NULL,
  "name" TEXT COLLATE "C" NOT NULL,
  "state" TEXT COLLATE "C" NOT NULL,
  "made_at" BIGINT NOT NULL,
  "ended_at" BIGINT,
  "bytes" BIGINT NOT NULL,
  "verified_at" BIGINT,
  "proven_at" BIGINT,
  "marked_at" BIGINT,
  "pinned" BOOLEAN NOT NULL,
  "detail" TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY ("sequence", "target")
);
CREATE TABLE "k_drill" (
  "at" BIGINT NOT NULL,
  "sequence" BIGINT NOT NULL,
  "target" TEXT COLLATE "C" NOT NULL,
  "ok" BOOLEAN NOT NULL,
  "millis" BIGINT NOT NULL,
  "report" TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY ("at", "sequence", "target")
);
