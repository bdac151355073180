import { readFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { main } from "@replant/cli";
import { readEvent } from "@replant/identity-sync/clerk";
import { createWebhookHandler, secretsFromEnv } from "@replant/identity-sync/webhooks";
import { referenceMapping } from "@replant/identity-sync";
import { openIdentityStore } from "@replant/identity-sync/postgres";
import { workspaceConfig } from "@replant/testkit";
import { type ClerkEmulator, fillSample, startClerk } from "@replant/testkit/clerk";
import { expect, onTestFinished, test } from "vitest";
import { openTarget, type Target } from "./target.ts";

const page = await readFile(new URL("../../../docs/identity.md", import.meta.url), "utf8");

/** A command that the page shows, with what it prints; or what happens in between. */
type Shown =
  | { readonly kind: "command"; readonly command: string; readonly output: string }
  | { readonly kind: "meanwhile"; readonly what: string };

const shown: readonly Shown[] = [
  ...page.matchAll(/^```console\n\$ (.+)\n([^]*?)^```$|^<!-- meanwhile: (.+) -->$/gm),
].map(([, command, output = "", what]) =>
  command === undefined ? { kind: "meanwhile", what: what ?? "" } : { kind: "command", command, output },
);

/** Ids, times and durations differ from run to run. */
function masked(output: string): string[] {
  return (
    stripVTControlCharacters(output)
      .split(/[\r\n]+/)
      .map((line) =>
        line
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
          .replaceAll(/\b[\da-f]{8}-[\da-f]{4}-[\da-f-]{22}\b/g, "<uuid>")
          .replaceAll(/\b(user|org|orgmem|ins|msg)_\w{20,}/g, "<$1>")
          .replaceAll(/just now|\d+ minutes? ago/g, "<age>")
          .replaceAll(/ +\d+(\.\d+)?(ms|s)\b|127\.0\.0\.1:\d+/g, "<number>")
          // Behind what turns while a step is under way, and without the time of a log.
          .replace(/^.*?( {2}[\u2714\u2716!] )|^\+\S+ note +/, (_, sign) => sign ?? "    ")
          .trimEnd(),
      )
      // What turns while a step is under way is written over.
      .filter((line) => line !== "" && !/^replant (\d|target)|^ {2}[-\\|/] /.test(line))
  );
}

const isGap = (line: string | undefined): boolean => line?.trim() === "...";

/** The printed lines without those that the page leaves out: a gap reaches to the next line that it shows. */
function leavingOut(printed: readonly string[], wanted: readonly string[]): string[] {
  const left: string[] = [];
  let at = 0;
  for (const [index, line] of wanted.entries()) {
    const following = wanted[index + 1];
    if (!isGap(line)) left.push(printed[at++] ?? "nothing");
    else {
      while (at < printed.length && printed[at] !== following) at += 1;
      left.push(line);
    }
  }
  return [...left, ...printed.slice(at)];
}

/** A project with its instance of Clerk, and what the page says happens to both. */
interface Scene {
  readonly target: Target;
  readonly clerk: ClerkEmulator;
  readonly keys: Record<string, string>;
}

const userNamed = ({ clerk }: Scene, firstName: string): string => {
  for (const user of clerk.instance.users.values()) if (user.firstName === firstName) return user.id;
  throw new Error(`nobody is called ${firstName}`);
};

const organizationNamed = ({ clerk }: Scene, name: string): string => {
  for (const organization of clerk.instance.organizations.values())
    if (organization.name === name) return organization.id;
  throw new Error(`there is no ${name}`);
};

async function startInstance(seed: number): Promise<ClerkEmulator> {
  const clerk = await startClerk({ rateLimit: null, seed });
  onTestFinished(() => clerk.close());
  fillSample(clerk.instance);
  return clerk;
}

const keysOf = ({ secretKey, apiUrl, deliveries }: ClerkEmulator): Record<string, string> => ({
  CLERK_SECRET_KEY: secretKey,
  CLERK_API_URL: apiUrl,
  CLERK_WEBHOOK_SIGNING_SECRET: deliveries.secret,
});

/** Somebody joins Acme. */
function join({ clerk: { instance }, ...scene }: Scene, firstName: string): void {
  const email = `${firstName.toLowerCase()}+clerk_test@example.com`;
  const { id: userId } = instance.createUser({ email, firstName });
  const organizationId = organizationNamed({ clerk: { instance } as ClerkEmulator, ...scene }, "Acme");
  instance.createMembership({ organizationId, userId, role: "org:member" });
}

const meanwhile: Readonly<Record<string, (scene: Scene) => Promise<void> | void>> = {
  "online, and Globex is deleted in Clerk, while a prompt of yours hangs on it": async (scene) => {
    Object.assign(scene.keys, keysOf(scene.clerk));
    const globex = organizationNamed(scene, "Globex");
    await scene.target.script(`insert into organization_prompts (organization_id, mcp_server_id, name, template)
      select o.id, s.id, 'welcome', 'Hello' from organizations o, mcp_servers s where o.clerk_id = '${globex}' and s.server_key = 'github'`);
    scene.clerk.instance.deleteOrganization(globex);
  },
  offline: ({ keys }) => void (keys["CLERK_SECRET_KEY"] = ""),
  "the keys of another instance": async ({ keys }) => void Object.assign(keys, keysOf(await startInstance(2))),
  "the key of a production instance": ({ keys }) => void (keys["CLERK_SECRET_KEY"] = "sk_live_abcdefghijklmnop"),
  "back to the keys of the instance": ({ keys, clerk }) => void Object.assign(keys, keysOf(clerk)),
  "Hugo is deleted, Bela becomes Belle, Ines joins": (scene) => {
    const { instance } = scene.clerk;
    instance.deleteUser(userNamed(scene, "Hugo"));
    instance.updateUser(userNamed(scene, "Bela"), { firstName: "Belle" });
    instance.createUser({ email: "ines+clerk_test@example.com", firstName: "Ines" });
  },
  "two messages are stored by an app that does not apply them": async (scene) => {
    const { clerk, target, keys } = scene;
    const engine = target.engine();
    const live = await engine.liveRef();
    if (live === null) throw new Error("there is no live database");
    const store = await openIdentityStore(() => engine.connect(live), referenceMapping);
    clerk.deliveries.endpoint = createWebhookHandler({ secrets: () => secretsFromEnv(keys), store, readEvent });
    join(scene, "Kira");
    await clerk.deliveries.run(Date.now());
    await store.close();
    await engine.close();
  },
};

/** What a person sees who types this. */
async function typed({ target, keys }: Scene, args: readonly string[]): Promise<string> {
  let written = "";
  const screen = { isTTY: true, columns: 80, write: (text: string) => ((written += text), true) };
  const code = await main(args, {
    cwd: target.workspace.directory,
    env: { DATABASE_URL: target.url ?? "", TERM: "xterm", ...keys },
    stdout: screen,
    stderr: screen,
    stdin: { isTTY: true } as never,
  });
  expect(code === 0, written).toBe(!(written.includes("REPLANT_") || args.includes("--exit-code")));
  return written;
}

/** It runs until somebody ends it: somebody joins meanwhile. */
async function served(scene: Scene, args: readonly string[]): Promise<string> {
  const { clerk, keys, target } = scene;
  const running = target.workspace.start(args, { env: keys });
  const says = async (what: RegExp): Promise<string> => {
    await expect.poll(() => running.seen().stderr, { timeout: 60_000 }).toMatch(what);
    return what.exec(running.seen().stderr)?.[1] ?? "";
  };
  // What is older is not sent again.
  clerk.deliveries.endpoint = () => Promise.resolve(new Response());
  await clerk.deliveries.run(Date.now());
  clerk.deliveries.endpoint = await says(/(http:\S+) until/);
  join(scene, "Jona");
  await clerk.deliveries.run(Date.now());
  await says(/organizationMembership.created (\S+)/);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.done;
  expect(code, stderr).toBe(0);
  return stderr;
}

test("the page shows what the commands print", async () => {
  const target = await openTarget("PostgreSQL 18");
  await target.workspace.write({
    "replant.config.ts": workspaceConfig.replace("  keep: {", '  identity: { provider: "clerk" },\n  keep: {'),
  });
  const clerk = await startInstance(1);
  const scene: Scene = { target, clerk, keys: {} };
  await typed(scene, ["reset"]);
  Object.assign(scene.keys, keysOf(clerk));
  const hugo = userNamed(scene, "Hugo");
  let commands = 0;
  for (const step of shown) {
    if (step.kind === "meanwhile") {
      const happens = meanwhile[step.what];
      if (happens === undefined) throw new Error(`nobody knows how: ${step.what}`);
      await happens(scene);
      continue;
    }
    commands += 1;
    const args = step.command
      .replace(/^replant /, "")
      .replace("4040", "0")
      .replace(/user_\w+/, hugo)
      .split(" ");
    const printed = masked(await (args[1] === "serve" ? served : typed)(scene, args));
    const wanted = masked(step.output);
    expect(leavingOut(printed, wanted), step.command).toEqual(wanted);
  }
  expect(commands).toBe(15);
});

test("the page's seed means people who are there, and makes the one who is not", async () => {
  const target = await openTarget("PostgreSQL 18");
  const [, seed = ""] = /^```ts\n\/\/ seeds\/people.ts\n([^]*?)^```$/m.exec(page) ?? [];
  await target.workspace.write({
    "replant.config.ts": workspaceConfig.replace("  keep: {", '  identity: { provider: "clerk" },\n  keep: {'),
    "seeds/people.ts": seed,
  });
  const clerk = await startInstance(1);
  const people = "select email, clerk_id from users where email ~ '^(ada|robot)' order by 1";
  await typed({ target, clerk, keys: {} }, ["reset"]);
  expect(await target.lines(people)).toEqual([
    "(ada+clerk_test@example.com,placeholder_ada)",
    "(robot+clerk_test@example.com,placeholder_robot)",
  ]);
  await typed({ target, clerk, keys: keysOf(clerk) }, ["reset"]);
  const [robot] = [...clerk.instance.users.values()].filter(({ externalId }) => externalId === "robot");
  expect(await target.lines(people)).toEqual([
    `(ada+clerk_test@example.com,${userNamed({ target, clerk, keys: {} }, "Ada")})`,
    `(robot+clerk_test@example.com,${robot?.id})`,
  ]);
});
