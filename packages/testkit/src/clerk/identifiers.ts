import { invalid, taken } from "./problem.ts";
import type { OrganizationRecord, UserRecord } from "./records.ts";

type Identified = Pick<UserRecord, "emails" | "username" | "externalId">;

/** What no two objects of an instance share, and whose it is. */
export class Identifiers {
  readonly #owners = new Map<string, string>();

  /**
   * Takes all identifiers of a user, or none.
   * @throws ClerkProblem when another user has one of them, or an address is none
   */
  claim(id: string, user: Identified): void {
    const claims = identifiersOf(user);
    const clash = claims.find(({ key }) => (this.#owners.get(key) ?? id) !== id);
    if (clash !== undefined) throw taken(clash.parameter, clash.what);
    for (const email of user.emails) {
      if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw invalid("email_address", "Email address must be a valid email.");
    }
    for (const { key } of claims) this.#owners.set(key, id);
  }

  release(user: Identified): void {
    for (const { key } of identifiersOf(user)) this.#owners.delete(key);
  }

  /** @throws ClerkProblem when another organization has it */
  claimSlug({ id, slug }: Pick<OrganizationRecord, "id" | "slug">): void {
    if ((this.#owners.get(`slug ${slug}`) ?? id) !== id) throw taken("slug", "slug");
    this.#owners.set(`slug ${slug}`, id);
  }

  releaseSlug(slug: string): void {
    this.#owners.delete(`slug ${slug}`);
  }
}

function identifiersOf({ emails, username, externalId }: Identified): {
  readonly key: string;
  readonly parameter: string;
  readonly what: string;
}[] {
  return [
    ...emails.map((email) => ({
      key: `email ${email.toLowerCase()}`,
      parameter: "email_address",
      what: "email address",
    })),
    ...(username === null
      ? []
      : [{ key: `username ${username.toLowerCase()}`, parameter: "username", what: "username" }]),
    ...(externalId === null
      ? []
      : [{ key: `external_id ${externalId}`, parameter: "external_id", what: "external id" }]),
  ];
}
