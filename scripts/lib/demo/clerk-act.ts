import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqlSession } from "../../../packages/core/src/index.ts";
import { connectTo } from "../../../packages/postgres/src/server/index.ts";
import { textTable } from "../text-table.ts";
import { type Clerk, startClerk } from "./clerk.ts";
import { alive, compareRows, customRows, readRows, type Rows, type Table } from "./clerk-rows.ts";
import type { Stage } from "./stage.ts";
import type { DemoWorkspace, WorkspaceOptions } from "./workspace.ts";

const app = join(import.meta.dirname, "../../../apps/api/src/main.ts");

/** Everything of the act that runs. */
interface Scene {
  readonly stage: Stage;
  readonly workspace: DemoWorkspace;
  readonly clerk: Clerk;
  readonly appUrl: string;
  /** Works in a session of the served database, beside the app. */
  readonly onServed: <Value>(work: (session: SqlSession) => Promise<Value>) => Promise<Value>;
  /** Waits until the database is served again after a command had it. */
  readonly servedAgain: () => Promise<void>;
}

/** The second act: Clerk and an app go on while their database is reset, and nothing differs in the end. */
export async function playClerk(
  stage: Stage,
  makeWorkspace: (options: WorkspaceOptions) => Promise<DemoWorkspace>,
): Promise<void> {
  const scene = await setUp(stage, makeWorkspace);
  await rename(scene);
  const before = await scene.onServed(async (session) => {
    await session.script(customRows);
    return readRows(session);
  });
  const gone = await resetMeanwhile(scene);
  await compareWithClerk(scene, { before, gone });
}

async function setUp(
  stage: Stage,
  makeWorkspace: (options: WorkspaceOptions) => Promise<DemoWorkspace>,
): Promise<Scene> {
  const appPort = await freePort();
  const appUrl = `http://127.0.0.1:${appPort}`;
  const clerk = await startClerk(stage, { cwd: import.meta.dirname, endpoint: `${appUrl}/webhooks/clerk` });
  const workspace = await makeWorkspace({ clerk: clerk.environment });
  stage.say(
    "An emulated Clerk on this machine has 3 organizations and 8 users. A second project has its key, and no database yet.",
  );
  await stage.command(workspace, ["reset"]);

  const { directory: cwd, environment } = workspace;
  const serving = stage.start("replant serve", [workspace.cli, "serve", "--port=0"], { cwd, env: environment });
  const [, port = "", name = ""] = await serving.line(/postgres:\/\/localhost:(\d+)\/(\w+)/);
  const databaseUrl = `postgres://postgres@127.0.0.1:${port}/${name}`;
  stage.type(`replant serve --port=${port} &`);
  stage.type(`DATABASE_URL=${databaseUrl} PORT=${appPort} node apps/api/src/main.ts &`);
  const env = { ...environment, DATABASE_URL: databaseUrl, PORT: String(appPort) };
  await stage.start("the app", [app], { cwd, env }).line(/^api listens on/);
  return {
    stage,
    workspace,
    clerk,
    appUrl,
    onServed: async (work) => {
      const session = await connectTo(databaseUrl, "demo");
      return work(session).finally(() => session.close());
    },
    servedAgain: async () => {
      await serving.until((lines) => {
        const last = lines.findLast((line) => /has the database|note +serving/.test(line)) ?? "";
        return last.includes("serving") ? last : null;
      });
    },
  };
}

/** A user is renamed in Clerk. */
async function rename({ stage, clerk, onServed }: Scene): Promise<void> {
  const [user] = await clerk.call<{ id: string; first_name: string }[]>("GET /v1/users?limit=1");
  if (user === undefined) throw new Error("Clerk has nobody");
  const since = clerk.mark();
  await clerk.call(`PATCH /v1/users/${user.id}`, { first_name: "Zora" });
  await clerk.delivered(["user.updated"], since);
  const nameInLive = (session: SqlSession): Promise<{ name: string }[]> =>
    session.query("select first_name as name from users where clerk_id = $1", [user.id]);
  const [row] = await eventually(
    () => onServed(nameInLive),
    ([found]) => found?.name === "Zora",
  );
  console.log();
  stage.check(
    row?.name === "Zora",
    `a webhook has come: ${user.first_name} is called Zora in Clerk now, and ${row?.name} in live`,
  );
}

interface Gone {
  readonly id: string;
  readonly name: string;
}

/** One organization is deleted in Clerk, and one user created, when the backup of the reset has been written. */
async function resetMeanwhile({ stage, workspace, clerk, servedAgain }: Scene): Promise<Gone> {
  stage.say(
    "Two teams have enabled services and written prompts. Now somebody resets the database, and when its backup has just been",
    "written, Clerk deletes the organization Globex and gets a new user. The app runs all the time.",
  );
  const { data } = await clerk.call<{ data: Gone[] }>("GET /v1/organizations?limit=100");
  const gone = data.find(({ name }) => name === "Globex");
  if (gone === undefined) throw new Error("Clerk has no Globex");
  const since = clerk.mark();
  const backup = Promise.withResolvers<void>();
  let over = false;
  const printed: string[] = [];
  const onLine = (line: string): void => {
    printed.push(line);
    if (/^\+\S+ backup /.test(line)) backup.resolve();
  };
  const reset = stage.command(workspace, ["reset"], { onLine }).finally(() => {
    over = true;
    backup.resolve();
  });
  const change = async (): Promise<boolean> => {
    await backup.promise;
    await clerk.call(`DELETE /v1/organizations/${gone.id}`);
    await clerk.call("POST /v1/users", { first_name: "Nils", email_address: ["nils+clerk_test@example.com"] });
    return !over;
  };
  const [meanwhile] = await Promise.all([change(), reset]);
  await servedAgain();
  const messages = await clerk.delivered(["organization.deleted", "user.created"], since);
  console.log();
  stage.check(meanwhile, "both changes came while the reset ran, after its backup");
  const orphan = printed.find((line) => line.includes(`organization ${gone.id} is gone; on it hang`));
  stage.check(
    orphan !== undefined,
    `the reset names ${gone.name}: ${orphan?.replace(/^ *identity/, "").trim() ?? "no"}`,
  );
  const again = messages.filter(({ answers }) => answers.length > 1);
  const refused = again.map(({ type, answers }) => `${type} was answered ${answers.join(", then ")}`);
  stage.check(
    messages.length === 5,
    `the app took ${messages.length} messages of Clerk; ${again.length} came again after being refused${refused.map((text) => `; ${text}`).join("")}`,
  );
  return gone;
}

async function compareWithClerk(
  { stage, workspace, clerk, appUrl, onServed, servedAgain }: Scene,
  { before, gone }: { readonly before: Rows; readonly gone: Gone },
): Promise<void> {
  const { status, inbox } = await eventually(
    () => healthOf(appUrl),
    (health) => health.status === 200 && health.inbox?.pending === 0,
  );
  const { pending, parked, dead } = inbox ?? {};
  stage.check(
    status === 200 && pending === 0 && parked === 0 && dead === 0,
    `the app is healthy (${status}), and messages that wait: ${pending}, parked: ${parked}, dead: ${dead}`,
  );
  await stage.command(workspace, ["identity", "drift", "--exit-code"]);
  await servedAgain();
  const after = await onServed(readRows);
  stage.say(...table(before, after, await clerk.counts()), "");
  const both = { before, after };
  const people = compareRows(both, "id", ["users", "organizations", "organization_memberships"]);
  stage.check(
    people.same === 23 && people.of === 23,
    `${people.same} of ${people.of} users, organizations and memberships have the ids of before`,
  );
  const custom = compareRows(both, "content", ["organization_services", "organization_prompts"]);
  stage.check(
    custom.same === 6 && custom.of === 6,
    `${custom.same} of ${custom.of} custom rows are equal in every column, those of ${gone.name} among them`,
  );
  const deleted = after.organizations.filter((row) => !row.alive).map(({ name }) => name);
  stage.check(
    deleted.length === 1 && deleted[0] === gone.id && alive(after, "users") === 9,
    `nothing differs from Clerk: ${gone.name} alone is deleted, and the new user is there`,
  );
}

interface Health {
  readonly status: number;
  readonly inbox: { readonly pending: number; readonly parked: number; readonly dead: number } | null;
}

async function healthOf(appUrl: string): Promise<Health> {
  const response = await fetch(`${appUrl}/healthz`);
  const { inbox } = (await response.json()) as Pick<Health, "inbox">;
  return { status: response.status, inbox };
}

/** What was taken is applied a moment later: looks again for a while, and answers with the last look. */
async function eventually<Value>(look: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  let seen = await look();
  for (let looks = 0; looks < 100 && !holds(seen); looks += 1) {
    await sleep(50);
    seen = await look();
  }
  return seen;
}

function table(before: Rows, after: Rows, clerk: Awaited<ReturnType<Clerk["counts"]>>): string[] {
  const line = (title: string, name: Table, there = ""): string[] => [
    title,
    ...[before, after].map((rows) => String(alive(rows, name))),
    there,
  ];
  const deletedLine = (name: Table): string[] => [
    "  deleted",
    ...[before, after].map((rows) => String(rows[name].length - alive(rows, name))),
    "",
  ];
  return textTable([
    ["rows", "before", "after", "in Clerk"],
    null,
    line("users", "users", String(clerk.users)),
    line("organizations", "organizations", String(clerk.organizations)),
    deletedLine("organizations"),
    line("memberships", "organization_memberships", String(clerk.memberships)),
    deletedLine("organization_memberships"),
    line("enabled services", "organization_services"),
    line("custom prompts", "organization_prompts"),
  ]);
}

/** Clerk has to know the app's port before the app can know Clerk's keys. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
