-- Saved views of lists. Name and definition are sealed together: a filter may hold a name.
CREATE TABLE "k_view" (
  "id" BYTEA PRIMARY KEY,
  "object" TEXT COLLATE "C" NOT NULL,
  "owner_id" BYTEA NOT NULL,
  "version" BIGINT NOT NULL,
  "shared" TEXT COLLATE "C" NOT NULL,
  "roles" TEXT COLLATE "C" NOT NULL,
  "default_roles" TEXT COLLATE "C" NOT NULL,
  "body" BYTEA NOT NULL,
  "updated_at" BIGINT NOT NULL
);
CREATE INDEX "k_view_object" ON "k_view" ("object", "id");
-- The view with which an object opens for one user.
CREATE TABLE "k_view_default" (
  "user_id" BYTEA NOT NULL,
  "object" TEXT COLLATE "C" NOT NULL,
  "view_id" BYTEA NOT NULL,
  PRIMARY KEY ("user_id", "object")
);
