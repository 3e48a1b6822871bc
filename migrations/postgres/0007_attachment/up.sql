-- Files of records. Their bytes lie beside the database, sealed in chunks; name, media type and digest are sealed here.
CREATE TABLE "k_attachment" (
  "id" BYTEA PRIMARY KEY,
  "object" TEXT COLLATE "C" NOT NULL,
  "record" BYTEA NOT NULL,
  "body" BYTEA NOT NULL,
  "size" BIGINT NOT NULL,
  "created_at" BIGINT NOT NULL,
  "created_by" BYTEA NOT NULL
);
CREATE INDEX "k_attachment_record" ON "k_attachment" ("record", "id");
