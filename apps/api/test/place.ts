import { readdirSync, readFileSync } from "node:fs";
import { createDatabase, sql, type TestDatabase } from "@replant/testkit";
import { type ClerkEmulator, startClerk } from "@replant/testkit/clerk";
import { onTestFinished } from "vitest";
import { createApp } from "../src/app.ts";
import { clerkAuth } from "../src/auth.ts";
import { openDatabase } from "../src/database.ts";
import { openIdentity } from "../src/identity.ts";
import { listen } from "../src/server.ts";
import { type Client, clientOf } from "./client.ts";

const migrations = new URL("../../../packages/database/prisma/migrations/", import.meta.url);
const referenceScripts = readdirSync(migrations, { withFileTypes: true })
  .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  .sort((a, b) => (a < b ? -1 : 1))
  .map((name) => readFileSync(new URL(`${name}/migration.sql`, migrations), "utf8"));

let template: Promise<TestDatabase> | undefined;

/** A database with the reference schema, three services and their default prompts; it goes with the test. */
export async function referenceDatabase(): Promise<TestDatabase> {
  template ??= makeTemplate();
  const database = await createDatabase(18, { prefix: "api", copyOf: (await template).name });
  onTestFinished(() => database.drop());
  return database;
}

async function makeTemplate(): Promise<TestDatabase> {
  const made = await createDatabase(18, { prefix: "api_template" });
  for (const script of referenceScripts) await sql(made.url, script);
  await sql(
    made.url,
    `insert into mcp_servers (server_key, name) values ('files', 'Files'), ('mail', 'Mail'), ('wiki', 'Wiki');
     insert into mcp_servers (server_key, name, is_active) values ('old', 'Old', false);
     insert into default_prompts (mcp_server_id, name, template)
     select m.id, p.name, server_key || ' ' || p.name from mcp_servers m, (values ('find'), ('sum up')) p(name)`,
  );
  return made;
}

export interface Place {
  readonly url: string;
  readonly database: TestDatabase;
  readonly clerk: ClerkEmulator;
  readonly client: Client;
  readonly logged: string[];
  /** Sends what Clerk has to say, and waits until all of it is applied. */
  readonly deliver: () => Promise<void>;
}

/** The application over HTTP, with a database and a Clerk instance of its own; all of it goes with the test. */
export async function openPlace({ now = Date.now }: { readonly now?: () => number } = {}): Promise<Place> {
  const database = await referenceDatabase();
  const clerk = await startClerk();
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const pool = openDatabase(database.url, log);
  const identity = openIdentity({ url: database.url, secrets: [clerk.deliveries.secret], log });
  const app = createApp({ database: pool, identity, auth: clerkAuth({ jwtKey: clerk.jwtKey }), now, log });
  const server = await listen(app.fetch, { host: "127.0.0.1", port: 0 });
  const { url } = server;
  clerk.deliveries.endpoint = `${url}/webhooks/clerk`;
  onTestFinished(async () => {
    await server.close(1_000);
    await identity.close();
    await pool.close();
    await clerk.close();
  });
  const deliver = async (): Promise<void> => {
    await clerk.deliveries.flush();
    await identity.drain();
  };
  return { url, database, clerk, client: await clientOf(url), logged, deliver };
}

export interface Team extends Place {
  readonly organizationId: string;
  readonly adminId: string;
  readonly memberId: string;
  /** Authorization of a new session. */
  readonly as: (userId: string, options?: { readonly expiresInSeconds?: number }) => Record<string, string>;
}

/** An organization with an admin and a member, which came by webhooks. */
export async function openTeam(): Promise<Team> {
  const place = await openPlace();
  const { instance } = place.clerk;
  const [admin, member] = ["ada", "bela"].map((name) => instance.createUser({ email: `${name}@example.com` }));
  const organization = instance.createOrganization({ name: "Acme", createdBy: admin!.id });
  const organizationId = organization.id;
  instance.createMembership({ organizationId, userId: member!.id, role: "org:member" });
  await place.deliver();
  const as: Team["as"] = (userId, options) => ({
    authorization: `Bearer ${place.clerk.mintSession({ userId, organizationId, ...options })}`,
  });
  return { ...place, organizationId, adminId: admin!.id, memberId: member!.id, as };
}
