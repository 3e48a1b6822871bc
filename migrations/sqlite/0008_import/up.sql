-- Imports that wait or go on by themselves. Their files lie beside the database; what is known of file and mapping, and what
-- each step did, is sealed.
CREATE TABLE "k_import" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "state" TEXT NOT NULL,
  "wanted" TEXT NOT NULL,
  "boot" BLOB NOT NULL,
  "body" BLOB NOT NULL,
  "progress" TEXT NOT NULL,
  "at" INTEGER NOT NULL,
  "beat_at" INTEGER NOT NULL,
  "finished_at" INTEGER
) STRICT;
CREATE INDEX "k_import_user" ON "k_import" ("user_id", "at");
CREATE TABLE "k_import_step" (
  "import" BLOB NOT NULL,
  "ord" INTEGER NOT NULL,
  "body" BLOB NOT NULL,
  PRIMARY KEY ("import", "ord")
) STRICT;
