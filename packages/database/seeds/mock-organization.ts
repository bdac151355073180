import { defineSeed } from "@replant/seeds";

const organization = {
  clerk_id: "org_2mKfT9wQxLr4vZbN7sHcPdYeGu1",
  name: "Acme Robotics",
  slug: "acme-robotics",
  metadata: { plan: "team", mock: true },
};

const people = [
  { key: "2mKfU0aBvWq8nRtYxLcZsDhJpEo", first_name: "Ada", last_name: "Okafor", role: "admin" },
  { key: "2mKfU3cDxGs1oSuZyMdAtFiKqHp", first_name: "Bruno", last_name: "Lindqvist", role: "admin" },
  { key: "2mKfU6eFzJv4pTvAzNeBuGjLrIq", first_name: "Chiara", last_name: "Moretti", role: "member" },
  { key: "2mKfU9gHbLx7qUwBaOfCvHkMsJr", first_name: "Dmitri", last_name: "Sato", role: "member" },
  { key: "2mKfUCiJdNz0rVxCbPgDwIlNtKs", first_name: "Esra", last_name: "Novak", role: "viewer" },
];

const permissions: Readonly<Record<string, readonly string[]>> = {
  admin: ["org:members:manage", "org:services:manage", "org:prompts:write"],
  member: ["org:prompts:write"],
  viewer: ["org:prompts:read"],
};

export const seed = defineSeed({
  name: "mock-organization",
  set: "mock",
  description: "One organization with five people, for those who work without Clerk.",
  async run({ query, upsert }) {
    const users = people.map(({ key, first_name, last_name }) => ({
      clerk_id: `user_${key}`,
      email: `${first_name}.${last_name}@acme-robotics.example`.toLowerCase(),
      first_name,
      last_name,
      image_url: `https://img.clerk.com/${key}`,
      metadata: { mock: true },
    }));
    await upsert("organizations", [organization], { key: ["clerk_id"] });
    await upsert("users", users, { key: ["clerk_id"] });
    const found = await query<{ id: string; clerk_id: string }>(
      `SELECT id, clerk_id FROM organizations WHERE clerk_id = $1
       UNION ALL SELECT id, clerk_id FROM users WHERE clerk_id = ANY ($2)`,
      [organization.clerk_id, users.map(({ clerk_id }) => clerk_id)],
    );
    const idOf = new Map(found.map(({ id, clerk_id }) => [clerk_id, id]));
    const memberships = people.map(({ key, role }) => ({
      organization_id: idOf.get(organization.clerk_id),
      user_id: idOf.get(`user_${key}`),
      clerk_membership_id: `orgmem_${key}`,
      role,
      permissions: permissions[role],
    }));
    return upsert("organization_memberships", memberships, { key: ["organization_id", "user_id"] });
  },
});
