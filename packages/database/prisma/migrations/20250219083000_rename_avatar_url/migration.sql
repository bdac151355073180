-- Clerk calls it image_url. Renamed rather than dropped and added, so that the values stay.
ALTER TABLE "users" RENAME COLUMN "avatar_url" TO "image_url";
