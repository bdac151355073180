import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { ClerkInstance } from "./instance.ts";
import { notFound } from "./problem.ts";

export interface NewSession {
  readonly userId: string;
  /** The active organization, of which the user must be a member. */
  readonly organizationId?: string;
  /** Default: 60, as Clerk's; negative for one that is over. */
  readonly expiresInSeconds?: number;
  /** The origin that the token is for, which `authorizedParties` are compared with. Default: none. */
  readonly authorizedParty?: string;
}

/** Makes session tokens, version 2, as a browser would bring them. */
export class Sessions {
  readonly #instance: ClerkInstance;
  readonly #random: () => number;
  readonly #issuer: string;
  #pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;

  constructor(instance: ClerkInstance, { random, issuer }: { readonly random: () => number; readonly issuer: string }) {
    this.#instance = instance;
    this.#random = random;
    this.#issuer = issuer;
  }

  /** The public key in PEM. */
  get jwtKey(): string {
    return this.#keys().publicKey.export({ type: "spki", format: "pem" }).toString();
  }

  /**
   * A token of a new session. Its times are the machine's, because verifiers compare them with their own.
   * @throws ClerkProblem when there is no such user or membership
   */
  mint({ userId, organizationId, expiresInSeconds = 60, authorizedParty }: NewSession): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: "RS256", kid: this.#instance.id, typ: "JWT" };
    const claims = {
      ...(authorizedParty === undefined ? {} : { azp: authorizedParty }),
      exp: now + expiresInSeconds,
      fva: [0, -1],
      iat: now,
      iss: this.#issuer,
      nbf: now - 10,
      ...(organizationId === undefined ? {} : { o: this.#active(organizationId, userId) }),
      sid: `sess_${Math.floor(this.#random() * 2 ** 48).toString(36)}`,
      sts: "active",
      sub: this.#instance.user(userId).id,
      v: 2,
    };
    const signed = `${part(header)}.${part(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), this.#keys().privateKey).toString("base64url")}`;
  }

  #active(organizationId: string, userId: string): object {
    const { id, slug } = this.#instance.organization(organizationId);
    const membership = this.#instance.membershipOf(id, userId);
    if (membership === undefined) throw notFound("organization membership");
    return { id, rol: membership.role.replace(/^org:/, ""), slg: slug };
  }

  /** Made when it is first needed: most tests never do, and it takes a while. */
  #keys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
    this.#pair ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
    return this.#pair;
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
