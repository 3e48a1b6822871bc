-- Every version of a custom role, as it was from its moment on.
CREATE TABLE "k_role_version" (
  "role" TEXT NOT NULL,
  "version" INTEGER NOT NULL,
  "act" TEXT NOT NULL,
  "at" INTEGER NOT NULL,
  "by_user" BLOB NOT NULL,
  "definition" TEXT NOT NULL,
  PRIMARY KEY ("role", "version")
) STRICT;
