-- It always held JSON. The default is of the old type, so it goes first.
ALTER TABLE "organization_services" ALTER COLUMN "configuration" DROP DEFAULT;
ALTER TABLE "organization_services" ALTER COLUMN "configuration" TYPE JSONB USING "configuration"::jsonb;
ALTER TABLE "organization_services" ALTER COLUMN "configuration" SET DEFAULT '{}';
