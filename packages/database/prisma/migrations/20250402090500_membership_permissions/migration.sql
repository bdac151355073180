-- AlterTable
ALTER TABLE "organization_memberships" ADD COLUMN "permissions" JSONB NOT NULL DEFAULT '[]';

-- What each role was allowed to do until now, written down.
UPDATE "organization_memberships"
SET "permissions" = CASE "role"
  WHEN 'admin' THEN '["org:members:manage", "org:services:manage", "org:prompts:write"]'::jsonb
  WHEN 'member' THEN '["org:prompts:write"]'::jsonb
  WHEN 'viewer' THEN '["org:prompts:read"]'::jsonb
END;
