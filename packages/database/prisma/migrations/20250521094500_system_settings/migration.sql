-- CreateTable
CREATE TABLE "system_settings" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "system_settings_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "system_settings_key_key" ON "system_settings"("key");

-- Every database has these; people may change the values.
INSERT INTO "system_settings" ("key", "value") VALUES
  ('maintenance_mode', 'false'),
  ('default_locale', '"en"'),
  ('membership_limit_per_organization', '250'),
  ('session_lifetime_minutes', '43200'),
  ('rate_limits', '{"api": {"perMinute": 600}, "mcp": {"perMinute": 120, "burst": 20}}'),
  ('enabled_features', '["prompts", "resources", "services"]');
