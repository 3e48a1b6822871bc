-- Lists that were taken out as files. The files lie beside the database; what was asked and what came of it is sealed.
CREATE TABLE "k_export" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "state" TEXT NOT NULL,
  "boot" BLOB NOT NULL,
  "body" BLOB NOT NULL,
  "at" INTEGER NOT NULL,
  "beat_at" INTEGER NOT NULL
) STRICT;
CREATE INDEX "k_export_user" ON "k_export" ("user_id", "at");
CREATE INDEX "k_export_beat" ON "k_export" ("beat_at");
