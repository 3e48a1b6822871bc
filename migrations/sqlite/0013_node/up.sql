-- Nodes that serve this database, and the leases on what only one of them may do at a time. Both by the time of the database.
CREATE TABLE "k_node" (
  "name" TEXT PRIMARY KEY,
  "folder" BLOB NOT NULL,
  "boot" BLOB NOT NULL,
  "version" TEXT NOT NULL,
  "started_at" INTEGER NOT NULL,
  "beat_at" INTEGER NOT NULL,
  "stopped_at" INTEGER
) STRICT;
CREATE TABLE "k_lease" (
  "name" TEXT PRIMARY KEY,
  "node" TEXT NOT NULL,
  "boot" BLOB NOT NULL,
  "token" INTEGER NOT NULL,
  "ends_at" INTEGER NOT NULL
) STRICT;
-- Whose process does a bulk job: one that is gone does it no more.
ALTER TABLE "k_job" ADD COLUMN "boot" BLOB;
