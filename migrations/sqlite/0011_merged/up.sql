-- Where the address of a record leads that was merged into another. What was done stands in the log; this is only the way.
CREATE TABLE "k_merged" (
  "record" BLOB PRIMARY KEY,
  "object" TEXT NOT NULL,
  "into_id" BLOB NOT NULL,
  "at" INTEGER NOT NULL
) STRICT;
