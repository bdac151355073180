import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readEvent } from "../../../../packages/identity-sync/src/clerk/index.ts";
import { isSigned } from "../../../../packages/identity-sync/src/webhook/signature.ts";
import type { Area, AreaResult, Bench, Figure } from "../area.ts";
import { type Load, type Pace, send } from "../identity/load.ts";
import { type SignedMessage, signedMessages, webhookSecret } from "../identity/made-up.ts";
import { repository } from "../paths.ts";
import { type BenchServer, createDatabase } from "../server.ts";

/** How much is measured. */
export interface IdentitySize {
  readonly objects: readonly [users: number, organizations: number, memberships: number];
  /** What a development instance has. */
  readonly development: readonly [users: number, organizations: number, memberships: number];
  /** Messages of each load. */
  readonly messages: number;
}

const full: IdentitySize = {
  objects: [100_000, 5_000, 200_000],
  development: [500, 50, 1_000],
  messages: 15_000,
};

/** Listings, comparisons and webhooks, each in processes of their own, against an emulator without a rate limit. */
export const identityArea: Area = { name: "identity", measure: (bench) => measureIdentity(bench, full) };

export async function measureIdentity(bench: Pick<Bench, "server" | "tell">, size: IdentitySize): Promise<AreaResult> {
  const server = await bench.server();
  const [users, organizations, memberships] = size.objects;
  const around: Around = { server, size, tell: bench.tell };
  const figures = [
    ...(await listingFigures(around)),
    ...(await applyFigures(around)),
    ...(await developmentFigures(around)),
    ...(await webhookFigures(around)),
  ];
  return {
    title: `identity: ${users} users, ${organizations} organizations, ${memberships} memberships; once each`,
    ways: [],
    comparisons: [],
    figures,
    missing: [],
  };
}

interface Around {
  readonly server: BenchServer;
  readonly size: IdentitySize;
  readonly tell: (text: string) => void;
}

/** What a piece of work says at its end. */
interface Done {
  readonly elapsedMs: number;
  readonly peakBytes: number;
  readonly rowsChanged?: number;
  readonly resumed?: boolean;
  readonly equal?: boolean;
  readonly user?: number;
  readonly membership?: number;
  readonly compareMs?: number;
}

async function listingFigures({ server, size, tell }: Around): Promise<Figure[]> {
  tell("a first and a second listing");
  const clerk = await startEmulator(size.objects);
  try {
    const env = { ...clerk.env, DATABASE_URL: await referenceDatabase(server, "identity_listing") };
    const counted = async (work: string): Promise<Done & { requests: number }> => {
      const before = await clerk.requests();
      const done = await sync([work], env).done;
      return { ...done, requests: (await clerk.requests()) - before };
    };
    const first = await counted("pull");
    const second = await counted("pull");
    tell("comparing everything");
    const full = await counted("drift");
    const look = await counted("look");
    tell("a listing that is killed in the middle");
    const killedUrl = await referenceDatabase(server, "identity_killed");
    const again = await killedPull({ ...env, DATABASE_URL: killedUrl }, clerk, first.requests);
    const pages = size.objects.reduce((sum, count) => sum + Math.ceil(count / 500), 0);
    return [
      { name: "first listing, s", goal: "<= 15", measured: seconds(first.elapsedMs) },
      { name: "first listing, peak MB", goal: "<= 300", measured: (first.peakBytes / 1e6).toFixed(0) },
      { name: "first listing, requests", goal: `<= ${pages + 4}`, measured: String(first.requests) },
      { name: "second listing, rows changed", goal: "0", measured: String(second.rowsChanged) },
      { name: "second listing, s", goal: "", measured: seconds(second.elapsedMs) },
      { name: "killed in the middle, pages listed again", goal: "<= 1", measured: String(again) },
      { name: "everything compared, listing included, s", goal: "", measured: seconds(full.elapsedMs) },
      { name: "everything compared, peak MB", goal: "", measured: (full.peakBytes / 1e6).toFixed(0) },
      { name: "quick look, requests", goal: "<= 4", measured: String(look.requests) },
      { name: "quick look, ms", goal: "", measured: look.elapsedMs.toFixed(0) },
    ];
  } finally {
    clerk.stop();
  }
}

/** How many more pages it takes when a listing is killed half-way and gone on with. */
async function killedPull(env: Environment, clerk: Emulator, requests: number): Promise<number> {
  const before = await clerk.requests();
  const killed = sync(["pull"], env);
  killed.done.catch(() => undefined);
  while ((await clerk.requests()) - before < requests / 2) await sleep(5);
  killed.child.kill("SIGKILL");
  await once(killed.child, "close");
  const { resumed } = await sync(["pull"], env).done;
  if (resumed !== true) throw new Error("the listing was not gone on with");
  // The second process asks for the instance once more.
  return (await clerk.requests()) - before - requests - 1;
}

async function applyFigures({ server, size, tell }: Around): Promise<Figure[]> {
  tell("writing and comparing without a provider");
  const env = { DATABASE_URL: await referenceDatabase(server, "identity_apply") };
  const { user = 0, membership = 0, compareMs = 0 } = await sync(["apply", ...size.objects.map(String)], env).done;
  return [
    { name: "users written, /s", goal: ">= 30000", measured: user.toFixed(0) },
    { name: "memberships written, /s", goal: ">= 20000", measured: membership.toFixed(0) },
    { name: "everything compared, without listing, s", goal: "<= 5", measured: seconds(compareMs) },
  ];
}

async function developmentFigures({ server, size, tell }: Around): Promise<Figure[]> {
  tell("what follows a reset of a development database");
  const clerk = await startEmulator(size.development);
  try {
    const env = { ...clerk.env, DATABASE_URL: await referenceDatabase(server, "identity_development") };
    await sync(["pull"], env).done;
    const before = await clerk.requests();
    const { elapsedMs } = await sync(["reconcile"], env).done;
    const requests = (await clerk.requests()) - before;
    const of = size.development.join("/");
    return [
      { name: `after a reset, ${of}, requests`, goal: "<= 6", measured: String(requests) },
      { name: `after a reset, ${of}, ms`, goal: "<= 500", measured: elapsedMs.toFixed(0) },
    ];
  } finally {
    clerk.stop();
  }
}

async function webhookFigures({ server, size, tell }: Around): Promise<Figure[]> {
  tell("webhooks");
  const url = await referenceDatabase(server, "identity_webhooks");
  const env = { DATABASE_URL: url, CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret };
  const load = async (pace: Pace): Promise<Load> => {
    const receiver = await startReceiver(env);
    try {
      return await send(receiver.url, signedMessages(size.messages), pace);
    } finally {
      receiver.child.disconnect();
    }
  };
  const fast = await load({ senders: 64 });
  const steady = await load({ perSecond: 1000 });
  const lost = await lostByKill(env, signedMessages(size.messages), async (ids) => {
    const [row] = await server.on("identity_webhooks", (session) =>
      session.query<{ rows: number }>(
        "select count(*)::int as rows from webhook_events where event_id = any($1::text[])",
        [`{${ids.join(",")}}`],
      ),
    );
    return row?.rows ?? 0;
  });
  const perSecond = (fast.accepted.length / fast.elapsedMs) * 1000;
  return [
    { name: "webhooks checked and stored, /s", goal: ">= 3000", measured: perSecond.toFixed(0) },
    { name: "at 1000/s, p50 ms", goal: "", measured: percentile(steady.latenciesMs, 0.5).toFixed(1) },
    { name: "at 1000/s, p99 ms", goal: "<= 50", measured: percentile(steady.latenciesMs, 0.99).toFixed(1) },
    { name: "at 1000/s, refused", goal: "0", measured: String(size.messages - steady.accepted.length) },
    { name: "answered with 200 and lost by kill -9", goal: "0", measured: `${lost.lost} of ${lost.accepted}` },
    {
      name: "signatures checked and bodies read, /s",
      goal: "",
      measured: checkedPerSecond(signedMessages(5000)).toFixed(0),
    },
  ];
}

/** Kills the receiver while it is answering. */
async function lostByKill(
  env: Environment,
  messages: readonly SignedMessage[],
  count: (ids: readonly string[]) => Promise<number>,
): Promise<{ lost: number; accepted: number }> {
  const receiver = await startReceiver(env);
  const killing = setTimeout(() => receiver.child.kill("SIGKILL"), 500);
  const { accepted } = await send(receiver.url, messages, { senders: 64 });
  clearTimeout(killing);
  receiver.child.kill("SIGKILL");
  return { lost: accepted.length - (await count(accepted)), accepted: accepted.length };
}

function checkedPerSecond(messages: readonly SignedMessage[]): number {
  const startedAt = performance.now();
  for (const { id, headers, body } of messages) {
    const signed = { id, timestamp: headers["svix-timestamp"] ?? "", signature: headers["svix-signature"] ?? "" };
    if (!isSigned(body, signed, [webhookSecret])) throw new Error("a message was not signed");
    readEvent(body);
  }
  return (messages.length / (performance.now() - startedAt)) * 1000;
}

type Environment = Readonly<Record<string, string>>;

const program = (name: string): string => join(import.meta.dirname, `../identity/${name}.ts`);

/** Starts one piece of work; its end is an error when it fails. */
function sync(args: readonly string[], env: Environment): { child: ChildProcess; done: Promise<Done> } {
  const child = fork(program("sync"), args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const done = once(child, "close").then(([code]): Done => {
    if (code !== 0) throw new Error(`sync ${args[0]} ended with ${code}`);
    return JSON.parse(printed) as Done;
  });
  return { child, done };
}

interface Emulator {
  readonly env: Environment;
  /** How many it has had. */
  requests(): Promise<number>;
  stop(): void;
}

async function startEmulator(counts: readonly number[]): Promise<Emulator> {
  const { child, said } = await startProgram("emulator", { args: counts.map(String), env: {} });
  return {
    env: said as Environment,
    requests: async () => {
      child.send("requests");
      const [requests] = (await once(child, "message")) as [number];
      return requests;
    },
    stop: () => child.disconnect(),
  };
}

async function startReceiver(env: Environment): Promise<{ child: ChildProcess; url: string }> {
  const { child, said } = await startProgram("receiver", { args: [], env });
  return { child, url: said as string };
}

/** Starts a program that says something once it is there. */
async function startProgram(
  name: string,
  { args, env }: { args: readonly string[]; env: Environment },
): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(program(name), args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [said] = (await once(child, "message")) as [unknown];
  return { child, said };
}

/** A database with the reference schema; its URL. */
async function referenceDatabase(server: BenchServer, name: string): Promise<string> {
  await createDatabase(server, name);
  const migrations = join(repository, "packages/database/prisma/migrations");
  const folders = readdirSync(migrations, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  await server.on(name, async (session) => {
    for (const folder of folders.map((entry) => entry.name).toSorted((a, b) => (a < b ? -1 : 1))) {
      await session.script(readFileSync(join(migrations, folder, "migration.sql"), "utf8"));
    }
  });
  return server.url(name);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
