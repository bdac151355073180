import type { EmulatorClock } from "./clock.ts";
import type { EmulatedEvent } from "./events.ts";
import { type FillCounts, filling } from "./fill.ts";
import { Identifiers } from "./identifiers.ts";
import { membershipJson, organizationJson, userJson } from "./json.ts";
import { ClerkProblem, notFound } from "./problem.ts";
import type { MembershipRecord, Metadata, OrganizationRecord, UserRecord } from "./records.ts";

export interface InstanceOptions {
  readonly clock: EmulatorClock;
  /** Decides ids. */
  readonly random: () => number;
  readonly environment?: "development" | "production";
  readonly instanceId?: string;
  /** Whether a deleted user or organization sends one event per membership too; nobody outside of Clerk knows. Default: true. */
  readonly cascadeEvents?: boolean;
  /** Default: 500 in development, as the documentation says; none in production. */
  readonly userLimit?: number;
  /** Hears of every event, in the order of what happened. */
  readonly onEvent?: (event: EmulatedEvent, occurredAt: number) => void;
}

export type NewUser = Partial<
  Omit<UserRecord, "id" | "updatedAt" | "lastActiveAt"> & { readonly email: string; readonly createdAt: number }
>;
export type NewOrganization = { readonly name: string } & Partial<
  Pick<OrganizationRecord, "slug" | "publicMetadata" | "privateMetadata" | "maxAllowedMemberships" | "createdBy">
>;
export type UserChange = Partial<Omit<NewUser, "createdAt">>;

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * One Clerk instance in memory: users, organizations and memberships, what is unique about them, and the events that changes send.
 * No two changes share a millisecond.
 * @throws ClerkProblem for what the API would refuse
 */
export class ClerkInstance {
  readonly id: string;
  readonly environment: "development" | "production";
  readonly users = new Map<string, UserRecord>();
  readonly organizations = new Map<string, OrganizationRecord>();
  readonly memberships = new Map<string, MembershipRecord>();
  readonly #options: InstanceOptions;
  readonly #identifiers = new Identifiers();
  /** By the id of a user, and by that of an organization. */
  readonly #membershipsOf = new Map<string, Set<MembershipRecord>>();
  /** Where an id is put together. */
  readonly #letters = Buffer.alloc(25);
  #lastChange = 0;
  #version = 0;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.environment = options.environment ?? "development";
    this.id = options.instanceId ?? this.#newId("ins");
  }

  /** Another number after every change. */
  get version(): number {
    return this.#version;
  }

  createUser({ email, emails, createdAt, ...rest }: NewUser = {}): UserRecord {
    const limit = this.#options.userLimit ?? (this.environment === "development" ? 500 : Infinity);
    if (this.users.size >= limit) {
      const message = "You have reached your limit of users";
      throw new ClerkProblem(403, { code: "user_quota_exceeded", message, long_message: `${message} (${limit}).` });
    }
    const now = this.#change();
    const user: UserRecord = {
      id: this.#newId("user"),
      createdAt: createdAt ?? now,
      updatedAt: now,
      emails: emails ?? (email === undefined ? [] : [email]),
      firstName: null,
      lastName: null,
      username: null,
      externalId: null,
      banned: false,
      locked: false,
      publicMetadata: {},
      privateMetadata: {},
      unsafeMetadata: {},
      lastActiveAt: null,
      ...rest,
    };
    this.#identifiers.claim(user.id, user);
    this.users.set(user.id, user);
    this.#tell({ type: "user.created", data: userJson(user) }, now);
    return user;
  }

  updateUser(id: string, { email, emails, ...change }: UserChange): UserRecord {
    const user = this.user(id);
    const changed = { ...user, ...change, emails: emails ?? (email === undefined ? user.emails : [email]) };
    this.#identifiers.release(user);
    try {
      this.#identifiers.claim(id, changed);
    } catch (error) {
      this.#identifiers.claim(id, user);
      throw error;
    }
    const now = this.#change();
    Object.assign(user, changed, { updatedAt: now });
    this.#tell({ type: "user.updated", data: userJson(user) }, now);
    return user;
  }

  deleteUser(id: string): void {
    const user = this.user(id);
    const now = this.#change();
    this.#identifiers.release(user);
    this.users.delete(id);
    for (const membership of this.membershipsOf({ userId: id })) this.#drop(membership, user);
    const external = user.externalId === null ? {} : { external_id: user.externalId };
    this.#tell({ type: "user.deleted", data: { id, object: "user", deleted: true, ...external } }, now);
  }

  createOrganization({ name, slug, createdBy = null, ...rest }: NewOrganization): OrganizationRecord {
    if (createdBy !== null) this.user(createdBy);
    const now = this.#change();
    const id = this.#newId("org");
    const organization: OrganizationRecord = {
      id,
      createdAt: now,
      updatedAt: now,
      name,
      slug: slug ?? `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${id.slice(-6).toLowerCase()}`,
      createdBy,
      maxAllowedMemberships: 5,
      publicMetadata: {},
      privateMetadata: {},
      ...rest,
    };
    this.#identifiers.claimSlug(organization);
    this.organizations.set(id, organization);
    this.#tell({ type: "organization.created", data: organizationJson(organization) }, now);
    if (createdBy !== null) this.createMembership({ organizationId: id, userId: createdBy, role: "org:admin" });
    return organization;
  }

  updateOrganization(
    id: string,
    change: Partial<Pick<OrganizationRecord, "name" | "slug" | "publicMetadata" | "privateMetadata">>,
  ): OrganizationRecord {
    const organization = this.organization(id);
    if (change.slug !== undefined && change.slug !== organization.slug) {
      this.#identifiers.claimSlug({ id, slug: change.slug });
      this.#identifiers.releaseSlug(organization.slug);
    }
    const now = this.#change();
    Object.assign(organization, change, { updatedAt: now });
    this.#tell({ type: "organization.updated", data: organizationJson(organization) }, now);
    return organization;
  }

  deleteOrganization(id: string): void {
    const organization = this.organization(id);
    const now = this.#change();
    for (const membership of this.membershipsOf({ organizationId: id })) this.#drop(membership);
    this.#identifiers.releaseSlug(organization.slug);
    this.organizations.delete(id);
    const data = { id, object: "organization", slug: organization.slug, deleted: true };
    this.#tell({ type: "organization.deleted", data }, now);
  }

  createMembership({
    organizationId,
    userId,
    role,
    publicMetadata = {},
  }: {
    readonly organizationId: string;
    readonly userId: string;
    readonly role: string;
    readonly publicMetadata?: Metadata;
  }): MembershipRecord {
    this.organization(organizationId);
    this.user(userId);
    if (this.membershipOf(organizationId, userId) !== undefined) {
      const message = "already a member";
      throw new ClerkProblem(400, {
        code: "already_a_member_in_organization",
        message,
        long_message: `User ${userId} is ${message} of the organization.`,
      });
    }
    const now = this.#change();
    const membership: MembershipRecord = {
      id: this.#newId("orgmem"),
      createdAt: now,
      updatedAt: now,
      organizationId,
      userId,
      role,
      publicMetadata,
      privateMetadata: {},
    };
    this.#remember(membership);
    this.#tell({ type: "organizationMembership.created", data: this.membershipJson(membership) }, now);
    return membership;
  }

  updateMembership(
    id: string,
    change: Partial<Pick<MembershipRecord, "role" | "publicMetadata" | "privateMetadata">>,
  ): MembershipRecord {
    const membership = this.#membership(id);
    const now = this.#change();
    Object.assign(membership, change, { updatedAt: now });
    this.#tell({ type: "organizationMembership.updated", data: this.membershipJson(membership) }, now);
    return membership;
  }

  deleteMembership(id: string): void {
    const membership = this.#membership(id);
    const data = this.membershipJson(membership);
    const now = this.#change();
    this.#forget(membership);
    this.#tell({ type: "organizationMembership.deleted", data }, now);
  }

  /**
   * Many objects at once, spread over the last year: without events, and whatever the limit of users is.
   * @throws RangeError when there are more memberships than pairs
   */
  fill(counts: FillCounts): void {
    this.#version += 1;
    const first = Math.max(this.users.size, this.organizations.size) + 1;
    const newId = (prefix: string): string => this.#newId(prefix);
    const { users, organizations, memberships } = filling(counts, { now: this.#options.clock.now(), first, newId });
    for (const user of users) {
      this.#identifiers.claim(user.id, user);
      this.users.set(user.id, user);
    }
    for (const organization of organizations) {
      this.#identifiers.claimSlug(organization);
      this.organizations.set(organization.id, organization);
    }
    for (const membership of memberships) this.#remember(membership);
  }

  user(id: string): UserRecord {
    const user = this.users.get(id);
    if (user === undefined) throw notFound("user");
    return user;
  }

  organization(id: string): OrganizationRecord {
    const organization = this.organizations.get(id);
    if (organization === undefined) throw notFound("organization");
    return organization;
  }

  membershipOf(organizationId: string, userId: string): MembershipRecord | undefined {
    return this.membershipsOf({ userId }).find((membership) => membership.organizationId === organizationId);
  }

  membershipsOf(parent: { readonly organizationId: string } | { readonly userId: string }): MembershipRecord[] {
    return [...(this.#membershipsOf.get("userId" in parent ? parent.userId : parent.organizationId) ?? [])];
  }

  membersCount(organizationId: string): number {
    return this.#membershipsOf.get(organizationId)?.size ?? 0;
  }

  membershipJson(membership: MembershipRecord, user?: UserRecord): EventData<"organizationMembership.created"> {
    const organization = this.organization(membership.organizationId);
    return membershipJson(membership, { organization, user: user ?? this.user(membership.userId) });
  }

  #membership(id: string): MembershipRecord {
    const membership = this.memberships.get(id);
    if (membership === undefined) throw notFound("organization membership");
    return membership;
  }

  /** The end of a membership because one of its parents has gone. */
  #drop(membership: MembershipRecord, user?: UserRecord): void {
    const data = this.membershipJson(membership, user);
    this.#forget(membership);
    if (this.#options.cascadeEvents === false) return;
    this.#tell({ type: "organizationMembership.deleted", data }, this.#change());
  }

  #remember(membership: MembershipRecord): void {
    this.memberships.set(membership.id, membership);
    for (const parent of [membership.organizationId, membership.userId]) {
      const members = this.#membershipsOf.get(parent) ?? new Set();
      this.#membershipsOf.set(parent, members.add(membership));
    }
  }

  #forget(membership: MembershipRecord): void {
    this.memberships.delete(membership.id);
    for (const parent of [membership.organizationId, membership.userId]) {
      const members = this.#membershipsOf.get(parent);
      members?.delete(membership);
      if (members?.size === 0) this.#membershipsOf.delete(parent);
    }
  }

  #tell(event: EmulatedEvent, occurredAt: number): void {
    this.#options.onEvent?.(event, occurredAt);
  }

  #change(): number {
    this.#version += 1;
    this.#lastChange = Math.max(this.#options.clock.now(), this.#lastChange + 1);
    return this.#lastChange;
  }

  #newId(prefix: string): string {
    for (let place = 0; place < this.#letters.length; place += 1) {
      this.#letters[place] = alphabet.charCodeAt(Math.floor(this.#options.random() * alphabet.length));
    }
    return `${prefix}_3b${this.#letters.toString("latin1")}`;
  }
}

type EventData<Type extends EmulatedEvent["type"]> = Extract<EmulatedEvent, { type: Type }>["data"];
