-- What somebody should look at. Ids only: titles are read when shown, through the reader's own rights.
CREATE TABLE "k_notification" (
  "id" BLOB PRIMARY KEY,
  "user_id" BLOB NOT NULL,
  "kind" TEXT NOT NULL,
  "object" TEXT NOT NULL,
  "record" BLOB NOT NULL,
  "mark" TEXT NOT NULL,
  "by_id" BLOB,
  "at" INTEGER NOT NULL,
  "read_at" INTEGER
) STRICT;
CREATE UNIQUE INDEX "k_notification_once" ON "k_notification" ("user_id", "kind", "record", "mark");
CREATE INDEX "k_notification_user" ON "k_notification" ("user_id", "at", "id");
