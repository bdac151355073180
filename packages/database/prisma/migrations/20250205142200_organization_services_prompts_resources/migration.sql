-- CreateTable
CREATE TABLE "organization_services" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "mcp_server_id" UUID NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "configuration" TEXT NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_services_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "organization_prompts" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "mcp_server_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "template" TEXT NOT NULL,
    "arguments" JSONB NOT NULL DEFAULT '[]',
    "created_by" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_prompts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "organization_resources" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "organization_id" UUID NOT NULL,
    "mcp_server_id" UUID NOT NULL,
    "uri" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "mime_type" TEXT NOT NULL DEFAULT 'text/plain',
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "created_by" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_resources_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "organization_services_mcp_server_id_idx" ON "organization_services"("mcp_server_id");

-- CreateIndex
CREATE UNIQUE INDEX "organization_services_organization_id_mcp_server_id_key" ON "organization_services"("organization_id", "mcp_server_id");

-- CreateIndex
CREATE INDEX "organization_prompts_mcp_server_id_idx" ON "organization_prompts"("mcp_server_id");

-- CreateIndex
CREATE INDEX "organization_prompts_created_by_idx" ON "organization_prompts"("created_by");

-- CreateIndex
CREATE UNIQUE INDEX "organization_prompts_organization_id_mcp_server_id_name_key" ON "organization_prompts"("organization_id", "mcp_server_id", "name");

-- CreateIndex
CREATE INDEX "organization_resources_mcp_server_id_idx" ON "organization_resources"("mcp_server_id");

-- CreateIndex
CREATE INDEX "organization_resources_created_by_idx" ON "organization_resources"("created_by");

-- CreateIndex
CREATE UNIQUE INDEX "organization_resources_organization_id_mcp_server_id_uri_key" ON "organization_resources"("organization_id", "mcp_server_id", "uri");

-- AddForeignKey
ALTER TABLE "organization_services" ADD CONSTRAINT "organization_services_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_services" ADD CONSTRAINT "organization_services_mcp_server_id_fkey" FOREIGN KEY ("mcp_server_id") REFERENCES "mcp_servers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_prompts" ADD CONSTRAINT "organization_prompts_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_prompts" ADD CONSTRAINT "organization_prompts_mcp_server_id_fkey" FOREIGN KEY ("mcp_server_id") REFERENCES "mcp_servers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_prompts" ADD CONSTRAINT "organization_prompts_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_resources" ADD CONSTRAINT "organization_resources_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_resources" ADD CONSTRAINT "organization_resources_mcp_server_id_fkey" FOREIGN KEY ("mcp_server_id") REFERENCES "mcp_servers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_resources" ADD CONSTRAINT "organization_resources_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;
