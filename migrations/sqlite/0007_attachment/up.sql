-- Files of records. Their bytes lie beside the database, sealed in chunks; name, media type and digest are sealed here.
CREATE TABLE "k_attachment" (
  "id" BLOB PRIMARY KEY,
  "object" TEXT NOT NULL,
  "record" BLOB NOT NULL,
  "body" BLOB NOT NULL,
  "size" INTEGER NOT NULL,
  "created_at" INTEGER NOT NULL,
  "created_by" BLOB NOT NULL
) STRICT;
CREATE INDEX "k_attachment_record" ON "k_attachment" ("record", "id");
