import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqlSession } from "../../../packages/core/src/index.ts";
import { connectTo } from "../../../packages/postgres/src/server/index.ts";
import { textTable } from "../text-table.ts";
import { type Clerk, startClerk } from "./clerk.ts";
import { alive, customRows, kept, readRows, type Rows } from "./clerk-rows.ts";
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
  onServed<Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value>;
  /** Waits until the database is served again after a command had it. */
  servedAgain(): Promise<void>;
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
    "An emulated Clerk on this machine has 3 organizations and 8 users. Another project has its key and `identity: clerk()` in",
    "its configuration, and no database yet.",
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
  const firstName = (): Promise<string> =>
    onServed(async (session) => {
      const [row] = await session.query<{ name: string }>("select first_name as name from users where clerk_id = $1", [
        user.id,
      ]);
      return row?.name ?? "";
    });
  // What was taken is applied a moment later.
  let now = await firstName();
  for (let look = 0; look < 100 && now !== "Zora"; look += 1) {
    await sleep(50);
    now = await firstName();
  }
  console.log();
  stage.check(
    now === "Zora",
    `a webhook came: who was ${user.first_name} in Clerk, and is Zora now, is ${now} in live`,
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
  const change = async (): Promise<void> => {
    await clerk.call(`DELETE /v1/organizations/${gone.id}`);
    await clerk.call("POST /v1/users", { first_name: "Nils", email_address: ["nils+clerk_test@example.com"] });
  };
  let changed: Promise<void> | null = null;
  const printed: string[] = [];
  await stage.command(workspace, ["reset"], {
    onLine: (line) => {
      printed.push(line);
      if (changed === null && /^\+\S+ backup /.test(line)) changed = change();
    },
  });
  await (changed ?? change());
  await servedAgain();
  const attempts = await clerk.delivered(["organization.deleted", "user.created"], since);
  console.log();
  const orphan = printed.find((line) => line.includes(`organization ${gone.id} is gone; on it hang`));
  stage.check(
    orphan !== undefined,
    `the reset names the deleted organization: ${orphan?.replace(/^ *identity/, "").trim()}`,
  );
  const answers = [...attempts].map(([type, statuses]) => `${type} ${statuses.join(", then ")}`).join("; ");
  stage.check(changed !== null, `both messages came while it ran or after it, and the app took them: ${answers}`);
  return gone;
}

async function compareWithClerk(scene: Scene, { before, gone }: { before: Rows; gone: Gone }): Promise<void> {
  const { stage, workspace, clerk, appUrl, onServed } = scene;
  const health = await fetch(`${appUrl}/healthz`);
  const { inbox } = (await health.json()) as { inbox: { pending: number; parked: number; dead: number } | null };
  stage.check(
    health.status === 200 && inbox?.pending === 0 && inbox.parked === 0 && inbox.dead === 0,
    `the app is healthy, and no message waits: ${JSON.stringify(inbox)}`,
  );
  await stage.command(workspace, ["identity", "drift", "--exit-code"]);
  await scene.servedAgain();
  const after = await onServed(readRows);
  stage.say(...table(before, after, await clerk.counts()), "");
  const tables = (["users", "organizations", "organization_memberships"] as const).map((name) =>
    kept(before, after, name),
  );
  const [same, of] = [sum(tables.map((found) => found.same)), sum(tables.map((found) => found.of))];
  stage.check(same === of && of === 23, `${same} of ${of} users, organizations and memberships have the ids of before`);
  const custom = (["organization_services", "organization_prompts"] as const).map((name) => kept(before, after, name));
  const [equal, all] = [sum(custom.map((found) => found.equal)), sum(custom.map((found) => found.of))];
  stage.check(equal === all && all === 6, `${equal} of ${all} custom rows are equal in every column`);
  const deleted = after.organizations.filter((row) => !row.alive).map(({ name }) => name);
  stage.check(
    deleted.length === 1 && deleted[0] === gone.id && alive(after, "users") === 9,
    `${gone.name} is deleted softly and what hangs on it is still there; the new user has come`,
  );
}

function table(before: Rows, after: Rows, clerk: Awaited<ReturnType<Clerk["counts"]>>): string[] {
  const line = (title: string, name: keyof Rows, there: number | null): string[] => {
    const counts = [before, after].map((rows) => String(alive(rows, name)));
    return [title, ...counts, there === null ? "" : String(there)];
  };
  const deletedLine = (name: keyof Rows): string[] => [
    "  deleted softly",
    ...[before, after].map((rows) => String(rows[name].length - alive(rows, name))),
    "",
  ];
  return textTable([
    ["rows", "before", "after", "in Clerk"],
    null,
    line("users", "users", clerk.users),
    line("organizations", "organizations", clerk.organizations),
    deletedLine("organizations"),
    line("memberships", "organization_memberships", clerk.memberships),
    deletedLine("organization_memberships"),
    line("enabled services", "organization_services", null),
    line("custom prompts", "organization_prompts", null),
  ]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
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
