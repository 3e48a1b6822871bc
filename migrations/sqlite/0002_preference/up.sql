-- What the web interface keeps for one user: layout, favourites, widths. The value is sealed: a saved filter may hold a name.
CREATE TABLE "k_preference" (
  "user_id" BLOB NOT NULL,
  "key" TEXT NOT NULL,
  "value" BLOB NOT NULL,
  "updated_at" INTEGER NOT NULL,
  PRIMARY KEY ("user_id", "key")
) STRICT;
