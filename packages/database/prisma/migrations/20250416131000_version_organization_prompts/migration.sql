-- AlterTable
ALTER TABLE "organization_prompts" ADD COLUMN "version" INTEGER NOT NULL DEFAULT 1;

-- DropIndex
DROP INDEX "organization_prompts_organization_id_mcp_server_id_name_key";

-- CreateIndex
CREATE UNIQUE INDEX "organization_prompts_organization_id_mcp_server_id_name_ver_key" ON "organization_prompts"("organization_id", "mcp_server_id", "name", "version");
