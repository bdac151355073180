-- Organizations from before slugs get one from their name; the start of the id keeps it unique.
UPDATE "organizations"
SET "slug" = concat_ws('-', nullif(trim(BOTH '-' FROM regexp_replace(lower("name"), '[^a-z0-9]+', '-', 'g')), ''), left("id"::text, 8))
WHERE "slug" IS NULL;

-- AlterTable
ALTER TABLE "organizations" ALTER COLUMN "slug" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "organizations_slug_key" ON "organizations"("slug");
