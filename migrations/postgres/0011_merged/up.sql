-- Where the address of a record leads that was merged into another. What was done stands in the log; this is only the way.
CREATE TABLE "k_merged" (
  "record" BYTEA PRIMARY KEY,
  "object" TEXT COLLATE "C" NOT NULL,
  "into_id" BYTEA NOT NULL,
  "at" BIGINT NOT NULL
);
