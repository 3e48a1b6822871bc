-- What somebody should look at. Ids only: titles are read when shown, through the reader's own rights.
CREATE TABLE "k_notification" (
  "id" BYTEA PRIMARY KEY,
  "user_id" BYTEA NOT NULL,
  "kind" TEXT COLLATE "C" NOT NULL,
  "object" TEXT COLLATE "C" NOT NULL,
  "record" BYTEA NOT NULL,
  "mark" TEXT COLLATE "C" NOT NULL,
  "by_id" BYTEA,
  "at" BIGINT NOT NULL,
  "read_at" BIGINT
);
CREATE UNIQUE INDEX "k_notification_once" ON "k_notification" ("user_id", "kind", "record", "mark");
CREATE INDEX "k_notification_user" ON "k_notification" ("user_id", "at", "id");
