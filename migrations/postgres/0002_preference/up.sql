-- What the web interface keeps for one user: layout, favourites, widths. The value is sealed: a saved filter may hold a name.
CREATE TABLE "k_preference" (
  "user_id" BYTEA NOT NULL,
  "key" TEXT COLLATE "C" NOT NULL,
  "value" BYTEA NOT NULL,
  "updated_at" BIGINT NOT NULL,
  PRIMARY KEY ("user_id", "key")
);
