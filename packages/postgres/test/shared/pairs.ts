import type { SqlSession } from "@replant/core";
import { describe } from "vitest";
import { embeddedSessions, type OpenSessions, serverSessions } from "./sessions.ts";

/** Two databases of one engine: what is live, and what is to become it. */
export interface Pair {
  readonly live: SqlSession;
  readonly candidate: SqlSession;
}

/** Runs SQL in two empty databases and gives their sessions. */
export type Prepare = (live: string, candidate: string) => Promise<Pair>;

/** A list of cases that hold on every engine. */
export type Cases = (prepared: Prepare) => void;

export async function openPair(open: OpenSessions): Promise<Pair> {
  const [live, candidate] = await open(2);
  if (live === undefined || candidate === undefined) throw new Error("two sessions were asked for");
  return { live, candidate };
}

function preparing(open: OpenSessions): Prepare {
  return async (liveSql, candidateSql) => {
    const pair = await openPair(open);
    await pair.live.script(liveSql);
    await pair.candidate.script(candidateSql);
    return pair;
  };
}

/** Runs the cases on each major version of the server. */
export function onServers(name: string, cases: readonly Cases[]): void {
  describe.each([15, 18] as const)(`${name} on PostgreSQL %i`, (major) => {
    for (const list of cases) list(preparing(serverSessions(major)));
  });
}

/** Runs the cases on the embedded engine; one for all, because its first empty directory is what takes long. */
export function onEmbedded(name: string, cases: readonly Cases[]): void {
  describe(`${name} on the embedded engine`, () => {
    const prepared = preparing(embeddedSessions());
    for (const list of cases) list(prepared);
  });
}
