import { verifyToken } from "@clerk/backend";
import { createMiddleware } from "hono/factory";
import type { Database } from "./database.ts";
import { Problem } from "./problem.ts";

/** Clerk's ids of who asks, and of the organization in which they are active. */
export interface Session {
  readonly userId: string;
  readonly organizationId: string | null;
}

/** Null: the token is none, or not any more. */
export type Auth = (token: string) => Promise<Session | null>;

/** Verifies session tokens with the instance's public key (PEM), asking nobody. @param authorizedParties empty: all origins */
export function clerkAuth({
  jwtKey,
  authorizedParties = [],
}: {
  readonly jwtKey: string;
  readonly authorizedParties?: readonly string[];
}): Auth {
  return async (token) => {
    try {
      const claims = await verifyToken(token, { jwtKey, authorizedParties: [...authorizedParties] });
      const organizationId = claims.v === 2 ? claims.o?.id : claims.org_id;
      return { userId: claims.sub, organizationId: organizationId ?? null };
    } catch {
      return null;
    }
  };
}

/** Who asks, by the ids of our database. */
export interface Member {
  readonly organizationId: string;
  readonly role: string;
}

export interface MemberEnv {
  Variables: { member: Member };
}

/** Lets members of the active organization through, as the database knows them. */
export function requireMember({ auth, database }: { readonly auth: Auth; readonly database: Database }) {
  return createMiddleware<MemberEnv>(async (context, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "") ?? [];
    const session = token === undefined ? null : await auth(token);
    if (session === null) {
      throw new Problem(401, "a valid session token is needed", { headers: { "www-authenticate": "Bearer" } });
    }
    const member = session.organizationId === null ? null : await memberOf(database, session);
    if (member === null) throw new Problem(403, "you are not a member of an active organization");
    context.set("member", member);
    await next();
  });
}

/** To be used behind `requireMember`. */
export const requireAdmin = createMiddleware<MemberEnv>(async (context, next) => {
  if (context.var.member.role !== "admin") throw new Problem(403, "only admins of the organization may do this");
  await next();
});

async function memberOf(database: Database, { userId, organizationId }: Session): Promise<Member | null> {
  const [member] = await database.query<Member>(
    `select o.id as "organizationId", m.role
       from users u
       join organization_memberships m on m.user_id = u.id and m.deleted_at is null
       join organizations o on o.id = m.organization_id and o.deleted_at is null
      where u.clerk_id = $1 and u.deleted_at is null and o.clerk_id = $2`,
    [userId, organizationId],
  );
  return member ?? null;
}
