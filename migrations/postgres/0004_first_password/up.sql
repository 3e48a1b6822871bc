-- 1 while the password is one that somebody else set: its user signs in with it only to change it.
ALTER TABLE "k_credential" ADD COLUMN "first_password" BIGINT NOT NULL DEFAULT 0;
