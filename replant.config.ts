import { clerk, defineConfig } from "./packages/config/src/index.ts";

// Users and organizations are deleted softly; what hangs on a deleted one goes with it.
const present = "deleted_at is null";
const inPresentOrganization = `organization_id in (select id from organizations where ${present})`;
const ofPresentUser = `user_id in (select id from users where ${present})`;

export default defineConfig({
  database: { package: "packages/database" },
  migrations: { tool: "prisma", directory: "packages/database/prisma/migrations" },
  seeds: { files: ["packages/database/seeds/*.ts"], sets: ["system"] },
  identity: clerk(),
  keep: {
    users: present,
    organizations: present,
    organization_memberships: `${present} and ${inPresentOrganization} and ${ofPresentUser}`,
    organization_services: inPresentOrganization,
    // Who wrote it may be gone; what was written stays.
    organization_prompts: { where: inPresentOrganization, onMissing: { created_by: "null" } },
    organization_resources: { where: inPresentOrganization, onMissing: { created_by: "null" } },
  },
});
