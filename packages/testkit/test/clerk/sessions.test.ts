import { verifyToken } from "@clerk/backend";
import { expect, test } from "vitest";
import { fillSample } from "../../src/clerk/index.ts";
import { clerkWithClient } from "./client.ts";

async function sample() {
  const { clerk, client } = await clerkWithClient();
  fillSample(clerk.instance);
  const [acme] = clerk.instance.organizations.values();
  const [owner] = clerk.instance.users.values();
  return { clerk, client, userId: owner?.id ?? "", organizationId: acme?.id ?? "" };
}

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("the official client accepts a session, with its organization and role, and asks nobody", async () => {
  const { clerk, client, userId, organizationId } = await sample();
  const token = clerk.mintSession({ userId, organizationId, authorizedParty: "http://localhost:3000" });
  const claims = await verifyToken(token, { jwtKey: clerk.jwtKey, authorizedParties: ["http://localhost:3000"] });
  expect(claims).toMatchObject({
    v: 2,
    sub: userId,
    sts: "active",
    o: { id: organizationId, rol: "admin", slg: "acme" },
  });
  expect(claims.iss).toBe(clerk.apiUrl);
  const request = new Request("http://localhost:3000/", { headers: { authorization: `Bearer ${token}` } });
  const { jwtKey, publishableKey } = clerk;
  const state = await client.authenticateRequest(request, { jwtKey, publishableKey });
  expect(state.toAuth()).toMatchObject({
    isAuthenticated: true,
    userId,
    sessionId: claims.sid,
    orgId: organizationId,
    orgRole: "org:admin",
    orgSlug: "acme",
  });
  expect(clerk.requests).toEqual([]);
});

test("a session that is over, foreign, tampered with or unsigned is refused", async () => {
  const { clerk, userId } = await sample();
  const other = await sample();
  const token = clerk.mintSession({ userId });
  const [header = "", claims = "", signature = ""] = token.split(".");
  const promoted = { ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object), sub: "user_other" };
  const refusals: [string, string][] = [
    [clerk.mintSession({ userId, expiresInSeconds: -60 }), "token-expired"],
    [other.clerk.mintSession({ userId: other.userId }), "token-invalid-signature"],
    [`${header}.${segment(promoted)}.${signature}`, "token-invalid-signature"],
    [`${segment({ alg: "none", typ: "JWT" })}.${claims}.`, "token-invalid-algorithm"],
  ];
  for (const [refused, reason] of refusals) {
    await expect(verifyToken(refused, { jwtKey: clerk.jwtKey }), reason).rejects.toMatchObject({ reason });
  }
  expect((await verifyToken(token, { jwtKey: clerk.jwtKey })).sub).toBe(userId);
});

test("nobody gets a session of a user or an organization that is not theirs", async () => {
  const { clerk, userId } = await sample();
  const outsider = [...clerk.instance.users.values()].at(-1)?.id ?? "";
  const [acme] = clerk.instance.organizations.values();
  expect(() => clerk.mintSession({ userId: "user_none" })).toThrow("not found");
  expect(() => clerk.mintSession({ userId, organizationId: "org_none" })).toThrow("not found");
  expect(() => clerk.mintSession({ userId: outsider, organizationId: acme?.id ?? "" })).toThrow("not found");
});
