-- Every version of a custom role, as it was from its moment on.
CREATE TABLE "k_role_version" (
  "role" TEXT COLLATE "C" NOT NULL,
  "version" BIGINT NOT NULL,
  "act" TEXT COLLATE "C" NOT NULL,
  "at" BIGINT NOT NULL,
  "by_user" BYTEA NOT NULL,
  "definition" TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY ("role", "version")
);
