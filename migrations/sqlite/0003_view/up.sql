-- Saved views of lists. Name and definition are sealed together: a filter may hold a name.
CREATE TABLE "k_view" (
  "id" BLOB PRIMARY KEY,
  "object" TEXT NOT NULL,
  "owner_id" BLOB NOT NULL,
  "version" INTEGER NOT NULL,
  "shared" TEXT NOT NULL,
  "roles" TEXT NOT NULL,
  "default_roles" TEXT NOT NULL,
  "body" BLOB NOT NULL,
  "updated_at" INTEGER NOT NULL
) STRICT;
CREATE INDEX "k_view_object" ON "k_view" ("object", "id");
-- The view with which an object opens for one user.
CREATE TABLE "k_view_default" (
  "user_id" BLOB NOT NULL,
  "object" TEXT NOT NULL,
  "view_id" BLOB NOT NULL,
  PRIMARY KEY ("user_id", "object")
) STRICT;
