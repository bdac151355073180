import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FollowUpReport, SwapReport } from "@replant/core";
import type { Drift, Reconciled } from "@replant/identity-sync";
import { workspaceConfig } from "@replant/testkit";
import { type ClerkEmulator, fillSample, startClerk } from "@replant/testkit/clerk";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { openTarget } from "./target.ts";

const config = workspaceConfig.replace("  keep: {", '  identity: { provider: "clerk" },\n  keep: {');

/** What hangs on a deleted organization is not kept either. */
const present = config.replace(
  "organization_prompts: {",
  'organization_prompts: { where: "organization_id in (select id from organizations where deleted_at is null)",',
);

async function startSample(options: Parameters<typeof startClerk>[0] = {}): Promise<ClerkEmulator> {
  const clerk = await startClerk({ rateLimit: null, ...options });
  onTestFinished(() => clerk.close());
  fillSample(clerk.instance);
  return clerk;
}

/** A project whose people come from this instance. */
interface Project {
  readonly target: Target;
  /** Runs a command that must end well; what it says with --json. */
  run<Document>(args: readonly string[], env?: Record<string, string>): Promise<Document>;
  /** Runs one that must not. */
  refused(args: readonly string[], env?: Record<string, string>): Promise<{ code: string; items?: readonly string[] }>;
}

async function openProject(name: TargetName, clerk: ClerkEmulator): Promise<Project> {
  const target = await openTarget(name);
  await target.workspace.write({ "replant.config.ts": config });
  const keys = { CLERK_SECRET_KEY: clerk.secretKey, CLERK_API_URL: clerk.apiUrl };
  const call = (args: readonly string[], env: Record<string, string>): ReturnType<Target["workspace"]["replant"]> =>
    target.workspace.replant([...args, "--json"], { env: { ...keys, ...env } });
  return {
    target,
    run: async <Document>(args: readonly string[], env = {}) => {
      const { code, stdout, stderr } = await call(args, env);
      expect(code, stdout + stderr).toBe(0);
      return JSON.parse(stdout) as Document;
    },
    refused: async (args, env = {}) => {
      const { code, stdout } = await call(args, env);
      expect(code, stdout).not.toBe(0);
      return (JSON.parse(stdout) as { error: { code: string; items?: readonly string[] } }).error;
    },
  };
}

async function identityOf(
  project: Project,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<FollowUpReport> {
  const { followUps } = await project.run<SwapReport>(args, env);
  const [identity, ...others] = followUps;
  expect(others).toEqual([]);
  if (identity === undefined) throw new Error("nothing followed");
  return identity;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "latin1")));
}

/** `updated_at` is the database's own: it says when somebody wrote, not when the provider did. */
function withoutTimes(table: string): string {
  return `select to_jsonb(t) - 'updated_at' from ${table} t order by id`;
}

/** Names are short: in the middle of an id they mean nothing. */
function hasWord(text: string, word: string): boolean {
  const isLetter = (sign: string | undefined): boolean => sign !== undefined && /\w/.test(sign);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetter(text[at - 1]) && !isLetter(text[at + word.length])) return true;
  }
  return false;
}

const people = "select clerk_id, id from users where deleted_at is null order by 1";
const dead = "select clerk_id from users where deleted_at is not null order by 1";

describe.each<TargetName>(["PostgreSQL 18", "embedded"])("a project with Clerk, on %s", (name) => {
  test("has everybody after its first reset, and the same rows after every other", async () => {
    const clerk = await startSample();
    const project = await openProject(name, clerk);
    const { target } = project;
    expect(await identityOf(project, ["reset"])).toMatchObject({ state: "done" });
    const first = await target.lines(people);
    expect(first).toHaveLength(8);
    expect(
      await target.lines("select role::text, count(*) from organization_memberships group by 1 order by 1"),
    ).toEqual(["(admin,3)", "(member,7)", "(viewer,2)"]);
    const before = clerk.requests.length;
    expect(await identityOf(project, ["reset"])).toMatchObject({
      state: "done",
      text: "nothing differs from the provider",
    });
    // The instance, and four for the quick look.
    expect(clerk.requests.length - before).toBeLessThanOrEqual(5);
    expect(await target.lines(people)).toEqual(first);
    expect(await project.run<Drift>(["identity", "drift", "--exit-code"])).toMatchObject({ equal: true });

    // A database without any backup gets the same local ids.
    await target.script(
      "delete from organization_memberships; delete from users; delete from organizations; delete from identity_objects",
    );
    await project.run(["identity", "pull"]);
    expect(await target.lines(people)).toEqual(first);
  });

  test("loses nobody and brings back nobody, whenever Clerk deletes them", async () => {
    const clerk = await startSample();
    const { instance } = clerk;
    const project = await openProject(name, clerk);
    const { target } = project;
    await project.run(["reset"]);
    const ids = [...instance.users.keys()];
    const [beforeBackup = "", afterBackup = "", later = ""] = ids;
    const [acme = ""] = instance.organizations.keys();
    await target.script(`insert into organization_prompts (organization_id, mcp_server_id, name, template)
      select o.id, s.id, 'welcome', 'Hello' from organizations o, mcp_servers s where o.clerk_id = '${acme}' and s.server_key = 'github'`);

    instance.deleteUser(beforeBackup);
    await project.run(["backup"]);
    instance.deleteUser(afterBackup);
    instance.deleteOrganization(acme);
    instance.createUser({ email: "new@example.com" });
    const follow = await identityOf(project, ["reset"]);
    const orphans = follow.items.filter((line) => !line.startsWith("membership"));
    expect(orphans).toEqual([
      ...[beforeBackup, afterBackup]
        .toSorted((a, b) => (a < b ? -1 : 1))
        .map((id) => expect.stringContaining(`user ${id} is gone`) as string),
      `organization ${acme} is gone; on it hang 1 row of organization_prompts`,
    ]);
    expect(await target.lines(dead)).toEqual(
      [beforeBackup, afterBackup].toSorted((a, b) => (a < b ? -1 : 1)).map((id) => `(${id})`),
    );
    expect(await target.lines("select name from organization_prompts")).toEqual(["(welcome)"]);
    await target.workspace.write({ "replant.config.ts": present });
    const { excluded } = await project.run<SwapReport>(["reset"]);
    expect(excluded).toContainEqual({ table: "organization_prompts", rows: 1 });
    await project.run(["undo"]);
    expect(await project.run<Drift>(["identity", "drift"])).toMatchObject({ equal: true });

    // A backup from before they were deleted, and one of them is deleted only now.
    instance.deleteUser(later);
    const restored = await identityOf(project, ["restore", "latest~1"]);
    expect(restored.items.join("\n")).toContain(later);
    for (const id of [beforeBackup, afterBackup, later]) {
      expect(await target.lines(`select deleted_at is null from users where clerk_id = '${id}'`)).not.toContain("(t)");
    }
    expect(await project.run<Drift>(["identity", "drift"])).toMatchObject({ equal: true });
  });

  test("can be backed up without names, and has them again after a restore", async () => {
    const clerk = await startSample();
    const project = await openProject(name, clerk);
    const { target } = project;
    await project.run(["reset"]);
    const everybody = await target.lines(withoutTimes("users"));
    const organizations = await target.lines(withoutTimes("organizations"));
    const { backup } = await project.run<{ backup: string }>(["backup", "--pii", "none"]);
    const { stdout } = await target.workspace.replant(["backup", "export", backup, "skeleton.json"]);
    expect(stdout).toBe("");
    const exported = await readFile(join(target.workspace.directory, "skeleton.json"), "utf8");
    const stored = await filesBelow(join(target.workspace.directory, "backups", backup));
    const { instance } = clerk;
    const secrets = [
      ...[...instance.users.values()].flatMap(({ emails, firstName, lastName }) => [...emails, firstName, lastName]),
      ...[...instance.organizations.values()].flatMap(({ name: called, slug }) => [called, slug]),
      "onboarding",
      "enterprise",
    ].flatMap((secret) => secret ?? []);
    expect(secrets.length).toBeGreaterThan(30);
    // The parts are compressed: what is in them is looked at in the export, what is beside them in the files.
    for (const text of [exported, ...stored]) {
      expect(secrets.filter((secret) => hasWord(text, secret))).toEqual([]);
    }
    expect(exported).toContain([...instance.users.keys()][0]);

    await project.run(["reset", "--force", `--yes=${target.database}`], { CLERK_SECRET_KEY: "" });
    expect(await target.lines("select count(*) from users")).toEqual(["(0)"]);
    const offline = await identityOf(project, ["restore", backup], { CLERK_SECRET_KEY: "" });
    expect(offline.state).toBe("skipped");
    expect(await target.lines("select count(*) from users where email like 'masked-user_%'")).toEqual(["(8)"]);
    expect((await identityOf(project, ["restore", backup])).state).toBe("done");
    expect(await target.lines(withoutTimes("users"))).toEqual(everybody);
    expect(await target.lines(withoutTimes("organizations"))).toEqual(organizations);
  });

  test("says so when Clerk is out of reach, and resets all the same", async () => {
    const clerk = await startSample();
    const project = await openProject(name, clerk);
    await project.run(["reset"]);
    expect(await identityOf(project, ["reset"], { CLERK_SECRET_KEY: "" })).toMatchObject({
      state: "skipped",
      text: "CLERK_SECRET_KEY is not set; later: replant identity reconcile",
    });
    await clerk.close();
    expect(await identityOf(project, ["reset"])).toMatchObject({
      state: "skipped",
      text: "the provider cannot be reached; later: replant identity reconcile",
    });
    expect(await project.target.lines(people)).toHaveLength(8);
  });

  test("is refused the keys of production and of another instance before anything is written", async () => {
    const clerk = await startSample();
    const project = await openProject(name, clerk);
    const { target } = project;
    await project.run(["reset"]);
    const rows = await target.lines("select * from users order by id");
    const live = { CLERK_SECRET_KEY: "sk_live_abcdefghijklmnop" };
    const before = clerk.requests.length;
    for (const args of [["reset"], ["identity", "pull"], ["identity", "reconcile"]]) {
      expect((await project.refused(args, live)).code).toMatch(/^REPLANT_(GUARD|IDENTITY)_PRODUCTION$/);
    }
    expect(clerk.requests).toHaveLength(before);

    const production = await startSample({ environment: "production", seed: 3 });
    const disguised = {
      CLERK_SECRET_KEY: production.secretKey.replace("sk_live_", "sk_test_"),
      CLERK_API_URL: production.apiUrl,
    };
    expect((await project.refused(["identity", "pull"], disguised)).code).toMatch(
      /^REPLANT_IDENTITY_(PRODUCTION|PROVIDER)$/,
    );

    const other = await startSample({ seed: 2 });
    const foreign = { CLERK_SECRET_KEY: other.secretKey, CLERK_API_URL: other.apiUrl };
    for (const command of ["pull", "reconcile", "drift"]) {
      expect((await project.refused(["identity", command], foreign)).code).toBe("REPLANT_IDENTITY_INSTANCE");
    }
    expect(await identityOf(project, ["reset"], foreign)).toMatchObject({ state: "failed" });
    expect(await target.lines("select * from users order by id")).toEqual(rows);

    // On purpose, by what both instances have of the same people.
    const locals = await target.lines("select email, id from users order by 1");
    const dry = await project.run<{ remapped: { users: readonly unknown[] } }>(
      ["identity", "pull", "--remap-by", "email", "--dry-run"],
      foreign,
    );
    expect(dry.remapped.users).toHaveLength(8);
    expect(await target.lines("select * from users order by id")).toEqual(rows);
    await project.run(["identity", "pull", "--remap-by", "email"], foreign);
    expect(await target.lines("select email, id from users order by 1")).toEqual(locals);
    expect(await project.run<Drift>(["identity", "drift"], foreign)).toMatchObject({ equal: true });
  });

  test("has seeds that mean people: placeholders without a key, real ones with it, the same row always", async () => {
    const clerk = await startSample();
    const project = await openProject(name, clerk);
    const { target } = project;
    await target.workspace.write({
      "seeds/people.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "people", set: "system", dependsOn: ["mcp-servers"], async run({ identity, upsert }) {
  const ada = await identity.require("ada", { email: "ada+clerk_test@example.com" });
  await upsert("users", [{ id: ada.localId, clerk_id: ada.providerId, email: ada.email }], { key: ["clerk_id"] });
} });
`,
    });
    await project.run(["reset"], { CLERK_SECRET_KEY: "" });
    const placeholder = await target.lines("select clerk_id, id from users");
    expect(placeholder).toEqual([expect.stringMatching(/^\(placeholder_ada,/)]);
    const localId = placeholder[0]?.split(",")[1];
    const follow = await identityOf(project, ["reset"]);
    expect(follow.items.join("\n")).toContain("placeholder_ada is user_");
    const ada = "select id, first_name from users where email = 'ada+clerk_test@example.com'";
    expect(await target.lines(ada)).toEqual([`(${localId?.slice(0, -1)},Ada)`]);
    await project.run(["reset"]);
    expect(await target.lines(ada)).toEqual([`(${localId?.slice(0, -1)},Ada)`]);
    expect(await target.lines("select count(*) from users where deleted_at is null")).toEqual(["(8)"]);

    await target.workspace.write({
      "seeds/people.ts": `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "people", set: "system", async run({ identity }) {
  await identity.require("zed", { email: "zed@example.com" });
} });
`,
    });
    const refused = await project.refused(["reset"]);
    expect(refused.code).toBe("REPLANT_IDENTITY_UNRESOLVED");
    expect(refused.items?.join("\n")).toContain("ada+clerk_test@example.com");
  });
});

test("a person sees what was reconciled", async () => {
  const clerk = await startSample();
  const project = await openProject("PostgreSQL 18", clerk);
  const env = { CLERK_SECRET_KEY: clerk.secretKey, CLERK_API_URL: clerk.apiUrl };
  const { stderr } = await project.target.workspace.replant(["reset"], { env });
  expect(stderr).toContain("identity 8 users, 3 organizations, 12 memberships; 23 rows changed");
  const { orphans, became } = await project.run<Reconciled>(["identity", "reconcile"]);
  expect([orphans, became]).toEqual([[], "soft-delete"]);
});

test("serve ends when everything that it has answered is applied", async () => {
  const clerk = await startSample();
  const project = await openProject("PostgreSQL 18", clerk);
  await project.run(["reset"], { CLERK_SECRET_KEY: "" });
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: clerk.deliveries.secret };
  const running = project.target.workspace.start(["identity", "serve", "--port", "0"], { env });
  const address = /(http:\S+) until/;
  await expect.poll(() => running.seen().stderr, { timeout: 60_000 }).toMatch(address);
  clerk.deliveries.endpoint = address.exec(running.seen().stderr)?.[1] ?? null;
  await clerk.deliveries.run(Date.now());
  running.child.kill("SIGINT");
  const { code, stderr } = await running.done;
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain("not applied");
  expect(await project.run(["identity", "status"])).toMatchObject({
    inbox: { pending: 0, dead: 0 },
    rows: { user: 8, organization: 3, membership: 12 },
  });
});
