import type { ClerkInstance } from "./instance.ts";

const people = [
  ["Ada", "Lindqvist"],
  ["Bela", "Okafor"],
  ["Chiara", "Novak"],
  ["Dario", "Silva"],
  ["Edda", "Moreau"],
  ["Farid", "Haddad"],
  ["Greta", "Ivanova"],
  ["Hugo", "Tanaka"],
] as const;

const teams = [
  { name: "Acme", plan: "team", members: [0, 1, 2, 3] },
  { name: "Globex", plan: "free", members: [2, 4, 5] },
  { name: "Initech", plan: "enterprise", members: [0, 4, 5, 6, 7] },
] as const;

/** What a small team has: 3 organizations, 8 users, 12 memberships, metadata, a custom role and an external id. */
export function fillSample(instance: ClerkInstance): void {
  const users = people.map(([firstName, lastName], index) =>
    instance.createUser({
      email: `${firstName.toLowerCase()}+clerk_test@example.com`,
      firstName,
      lastName,
      externalId: index === 0 ? "admin" : null,
      publicMetadata: { locale: index % 2 === 0 ? "en" : "de", onboarding: { step: index } },
    }),
  );
  for (const { name, plan, members } of teams) {
    const [owner, ...others] = members.flatMap((index) => users[index] ?? []);
    if (owner === undefined) continue;
    const organization = instance.createOrganization({
      name,
      slug: name.toLowerCase(),
      publicMetadata: { plan },
      createdBy: owner.id,
    });
    others.forEach(({ id }, index) => {
      const role = index === 2 ? "org:viewer" : "org:member";
      instance.createMembership({ organizationId: organization.id, userId: id, role });
    });
  }
}
