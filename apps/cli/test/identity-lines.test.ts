import type { Drift, Pulled, Reconciled } from "@replant/identity-sync";
import { describe, expect, test } from "vitest";
import {
  drainLines,
  driftLines,
  historyLines,
  identityStatusLines,
  pullLines,
  quickDriftLines,
  reconcileLines,
  remapLines,
} from "../src/render/identity.ts";

const at = Date.UTC(2026, 10, 20, 9, 41);
const counts = { user: 1, organization: 3, membership: 1204 };
const instance = { id: "ins_1", environment: "development" } as const;
const pulled: Pulled = { instance, startedAt: at, resumed: false, counts, rowsChanged: 0 };
const state = { instance, watermark: null, pull: null, lastFull: null };
const inbox = { pending: 0, parked: 0, dead: 0, oldestPendingAt: null };
const equalDrift: Drift = {
  equal: true,
  kinds: (["user", "organization", "membership"] as const).map((kind) => ({
    kind,
    inProvider: 2,
    inDatabase: 2,
    onlyProvider: [],
    onlyDatabase: [],
    different: [],
  })),
};

describe("a listing", () => {
  test("what there is and what was changed", () => {
    expect(pullLines(pulled)).toEqual([
      "  instance ins_1 (development)",
      "  listed   1 user, 3 organizations, 1,204 memberships",
      "  changed  no row",
    ]);
    expect(pullLines({ ...pulled, resumed: true, rowsChanged: 1 }).slice(2)).toEqual([
      "           an interrupted listing was gone on with",
      "  changed  1 row",
    ]);
  });

  test("what is gone, what became of it, and what hangs on it", () => {
    const orphan = (id: string): Reconciled["orphans"][number] => ({ kind: "organization", id, dependents: [] });
    const hanging = {
      ...orphan("org_1"),
      dependents: [
        { table: "prompts", rows: 2 },
        { table: "services", rows: 0 },
      ],
    };
    expect(reconcileLines({ ...pulled, orphans: [hanging], became: "soft-delete" }).slice(3)).toEqual([
      "  gone     1 row, deleted softly",
      "           organization org_1 is gone; on it hang 2 rows of prompts",
    ]);
    const many = Array.from({ length: 12 }, (_, index) => orphan(`org_${index}`));
    const lines = reconcileLines({ ...pulled, orphans: many, became: "keep" });
    expect(lines.at(-1)).toBe("           and 2 more: --json has them");
    expect(lines).toHaveLength(3 + 1 + 10 + 1);
  });

  test("who became whom in another instance", () => {
    const remapped = {
      from: "ins_1",
      to: "ins_2",
      users: [{ from: "user_a", to: "user_b", key: "ada@example.com" }],
      organizations: [],
      unmatched: ["user_c", "org_d"],
    };
    const lines = [
      "  from      ins_1",
      "  to        ins_2",
      "            ada@example.com",
      "              user_a -> user_b",
      "  unmatched user_c",
      "            org_d",
      "            the next reconcile deletes these by its rule",
    ];
    expect(remapLines(remapped, { written: true })).toEqual(lines);
    expect(remapLines(remapped, { written: false })).toEqual([
      ...lines,
      "nothing was written; without --dry-run it is",
    ]);
  });
});

describe("drift", () => {
  test("stands in one column, with what to do next", () => {
    expect(driftLines(equalDrift)).toEqual([
      "  users         2 at the provider, 2 in live",
      "  organizations 2 at the provider, 2 in live",
      "  memberships   2 at the provider, 2 in live",
      "nothing differs",
    ]);
    const [users, ...others] = equalDrift.kinds.map((kind) => ({
      ...kind,
      onlyProvider: ["new_1"],
      onlyDatabase: ["old_1"],
      different: [{ id: "id_1", fields: ["email", "firstName"] }],
    }));
    expect(users).toBeDefined();
    expect(driftLines({ equal: false, kinds: users === undefined ? others : [users] })).toEqual([
      "  users    2 at the provider, 2 in live",
      "           only at the provider: new_1",
      "           only in live: old_1",
      "           id_1 differs in email, firstName",
      "live differs from the provider: replant identity reconcile",
    ]);
  });

  test("a quick look promises no more than it knows", () => {
    expect(quickDriftLines({ ...equalDrift, usersChanged: false }).at(-1)).toBe(
      "nothing seems to differ; all is compared by: replant identity drift",
    );
    expect(quickDriftLines({ equal: false, kinds: [], usersChanged: true })).toEqual([
      "           a user was changed since the last state that is written",
      "live differs from the provider: replant identity reconcile",
    ]);
  });
});

test("a replay counts what there was, and says what to do with what failed", () => {
  expect(drainLines({ applied: 1, parked: 0, ignored: 0, failed: 0 })).toEqual(["  applied  1 message"]);
  expect(drainLines({ applied: 2, parked: 1, ignored: 1, failed: 3 })).toEqual([
    "  applied  2 messages",
    "  parked   1 membership without its user or organization yet",
    "  ignored  1 message",
    "  dead     3 messages",
    "           once the cause is corrected: replant identity replay --dead",
  ]);
});

describe("the state", () => {
  test("of a database without any listing points at the first pull", () => {
    const rows = { user: 0, organization: 0, membership: 0 };
    expect(identityStatusLines({ state: { ...state, instance: null }, inbox, rows }, at)).toEqual([
      "  instance none yet: replant identity pull",
      "  rows     0 users, 0 organizations, 0 memberships",
      "  inbox    0 waiting, 0 parked, 0 dead",
      "  listed   never completely: replant identity pull",
    ]);
  });

  test("says each moment in words and exactly, and what to do about what waits", () => {
    const known = {
      instance,
      watermark: at,
      lastFull: { at, counts },
      pull: { startedAt: at, kind: "membership", after: "500", listed: counts },
    } as const;
    const waiting = { pending: 2, parked: 1, dead: 1, oldestPendingAt: at };
    expect(identityStatusLines({ state: known, inbox: waiting, rows: counts }, at + 300_000)).toEqual([
      "  instance  ins_1 (development)",
      "  rows      1 user, 3 organizations, 1,204 memberships",
      "  inbox     2 waiting, 1 parked, 1 dead",
      "            the oldest came 5 minutes ago (2026-11-20T09:41:00.000Z)",
      "            once the cause is corrected: replant identity replay --dead",
      "  listed    5 minutes ago (2026-11-20T09:41:00.000Z)",
      "            1 user, 3 organizations, 1,204 memberships",
      "  open      interrupted at memberships, begun 5 minutes ago (2026-11-20T09:41:00.000Z)",
      "            replant identity pull goes on with it",
      "  watermark events before 2026-11-20T09:41:00.000Z are no news",
    ]);
  });
});

describe("one object", () => {
  const nobody = { row: null, updatedAt: null, gone: false, parked: false, messages: [] };
  const unknown = { ...nobody, kind: "user", id: "user_1", watermark: null, dependents: [] } as const;
  const row = { localId: "l1", deletedAt: null };

  test("has its messages under each other, ids and errors on lines of their own", () => {
    const message = { id: "msg_1", type: "user.created", status: "dead", occurredAt: at, receivedAt: at } as const;
    const lines = historyLines({
      ...unknown,
      row: { localId: "l1", deletedAt: at },
      dependents: [{ table: "prompts", rows: 2 }],
      messages: [{ ...message, error: "REPLANT_IDENTITY_ROLE: no word" }],
    });
    expect(lines).toEqual([
      "  user     user_1",
      "  row      l1, deleted softly at 2026-11-20T09:41:00.000Z",
      "  why      no message and no listing has written it: the next state counts",
      "  on it    2 rows of prompts",
      "  message  2026-11-20T09:41:00.000Z user.created dead",
      "           msg_1",
      "           REPLANT_IDENTITY_ROLE: no word",
    ]);
  });

  test.each([
    ["nothing is known of it", {}],
    ["the provider has deleted it: nothing brings it back", { gone: true, row }],
    ["it waits for its user or its organization", { parked: true }],
    ["a newer state replaces it, an older one does not", { row, updatedAt: at }],
  ])("%s", (why, known) => {
    expect(historyLines({ ...unknown, ...known })).toContain(`  why      ${why}`);
  });
});
