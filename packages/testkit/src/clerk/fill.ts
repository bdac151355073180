import type { MembershipRecord, Metadata, OrganizationRecord, UserRecord } from "./records.ts";

export interface FillCounts {
  readonly users?: number;
  readonly organizations?: number;
  /** At most users times organizations: nobody is twice in one. */
  readonly memberships?: number;
}

interface Filling {
  readonly users: UserRecord[];
  readonly organizations: OrganizationRecord[];
  readonly memberships: MembershipRecord[];
}

/** One for all of them: changes put another in its place. */
const noMetadata: Metadata = {};

const yearMs = 365 * 24 * 3_600_000;

/**
 * Made-up objects, spread over the year before `now`: users, then organizations, then memberships.
 * @param first the number in the name of the first user and organization
 * @throws RangeError when there are more memberships than pairs
 */
export function filling(
  { users = 0, organizations = 0, memberships = 0 }: FillCounts,
  { now, first, newId }: { readonly now: number; readonly first: number; readonly newId: (prefix: string) => string },
): Filling {
  if (memberships > users * organizations) throw new RangeError("more memberships than users times organizations");
  const spanMs = Math.min(yearMs, now);
  const total = users + organizations + memberships;
  const dated = (place: number): { readonly createdAt: number; readonly updatedAt: number } => {
    const at = now - spanMs + Math.floor((place * spanMs) / total);
    return { createdAt: at, updatedAt: at };
  };
  const madeUsers = Array.from({ length: users }, (_, index) => user(first + index, newId("user"), dated(index)));
  const madeOrganizations = Array.from({ length: organizations }, (_, index) =>
    organization(first + index, newId("org"), dated(users + index)),
  );
  const madeMemberships = Array.from({ length: memberships }, (_, index): MembershipRecord => {
    const round = Math.floor(index / users);
    return {
      id: newId("orgmem"),
      ...dated(users + organizations + index),
      userId: madeUsers[index % users]?.id ?? "",
      organizationId: madeOrganizations[((index % users) + round) % organizations]?.id ?? "",
      role: index % 10 === 0 ? "org:admin" : "org:member",
      publicMetadata: noMetadata,
      privateMetadata: noMetadata,
    };
  });
  return { users: madeUsers, organizations: madeOrganizations, memberships: madeMemberships };
}

type Dated = Pick<UserRecord, "createdAt" | "updatedAt">;

function user(number: number, id: string, dated: Dated): UserRecord {
  return {
    id,
    ...dated,
    emails: [`user${number}+clerk_test@example.com`],
    firstName: `First${number}`,
    lastName: `Last${number}`,
    username: null,
    externalId: null,
    banned: false,
    locked: false,
    publicMetadata: noMetadata,
    privateMetadata: noMetadata,
    unsafeMetadata: noMetadata,
    lastActiveAt: null,
  };
}

function organization(number: number, id: string, dated: Dated): OrganizationRecord {
  return {
    id,
    ...dated,
    name: `Organization ${number}`,
    slug: `organization-${number}`,
    createdBy: null,
    maxAllowedMemberships: 0,
    publicMetadata: noMetadata,
    privateMetadata: noMetadata,
  };
}
