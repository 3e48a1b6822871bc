-- Nodes that serve this database, and the leases on what only one of them may do at a time. Both by the time of the database.
CREATE TABLE "k_node" (
  "name" TEXT COLLATE "C" PRIMARY KEY,
  "folder" BYTEA NOT NULL,
  "boot" BYTEA NOT NULL,
  "version" TEXT COLLATE "C" NOT NULL,
  "started_at" BIGINT NOT NULL,
  "beat_at" BIGINT NOT NULL,
  "stopped_at" BIGINT
);
CREATE TABLE "k_lease" (
  "name" TEXT COLLATE "C" PRIMARY KEY,
  "node" TEXT COLLATE "C" NOT NULL,
  "boot" BYTEA NOT NULL,
  "token" BIGINT NOT NULL,
  "ends_at" BIGINT NOT NULL
);
-- Whose process does a bulk job: one that is gone does it no more.
ALTER TABLE "k_job" ADD COLUMN "boot" BYTEA;
