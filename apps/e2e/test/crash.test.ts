import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Target, TargetName } from "./target.ts";
import { keptRows, preparedTarget } from "./target.ts";

const faulty = fileURLToPath(new URL("faulty.ts", import.meta.url));

/** Runs a reset that dies at a place, and checks what it left: all old rows or all new ones, never anything between. */
async function dieAt(target: Target, fault: string, args: readonly string[] = ["reset"]): Promise<void> {
  const result = await target.workspace.start(args, { entry: faulty, env: { FAULT: fault } }).done;
  expect(result.signal, `${fault}: ${result.stderr}`).toBe("SIGKILL");
  expect(await keptRows(target), fault).toEqual(rowsOf.get(target));
}

/** The kept rows of a target as they were before anything died. */
const rowsOf = new WeakMap<Target, string[]>();

/** The next command finds the state and cleans up; nobody repairs by hand. */
async function recovers(target: Target, fault: string): Promise<void> {
  const next = await target.workspace.replant(["clean"]);
  expect(next.code, `${fault}: ${next.stderr}`).toBe(0);
  expect(next.stderr, fault).toMatch(/was stopped before its swap|had swapped before/);
  expect(await target.leftovers(), fault).toEqual([]);
}

async function recordsOfLastRun(target: Target): Promise<number> {
  const runs = join(target.workspace.directory, ".replant/runs");
  const last = (await readdir(runs)).sort().at(-1) ?? "";
  return (await readFile(join(runs, last, "journal.ndjson"), "utf8")).trim().split("\n").length;
}

async function prepared(name: TargetName): Promise<Target> {
  const target = await preparedTarget(name);
  rowsOf.set(target, await keptRows(target));
  expect(rowsOf.get(target)).toHaveLength(39);
  return target;
}

describe.each<TargetName>(["PostgreSQL 15", "embedded"])("kill -9 on %s", (name) => {
  test("after every journalled step of a warm reset", { timeout: 600_000 }, async () => {
    const target = await prepared(name);
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    const records = await recordsOfLastRun(target);
    expect(records).toBeGreaterThan(15);
    for (let n = 1; n < records; n += 1) {
      await dieAt(target, `journal:${n}`);
      await recovers(target, `journal:${n}`);
    }
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    expect(await keptRows(target)).toEqual(rowsOf.get(target));
  });

  test("status says in one sentence what a crash left, and what happens next", async () => {
    const target = await prepared(name);
    await dieAt(target, "backup:2");
    const status = await target.workspace.replant(["status"]);
    expect(status.code).toBe(0);
    expect(status.stderr).toMatch(/has not ended: live is unchanged by it; .* the next command drops/);
    await recovers(target, "backup:2");
    expect((await target.workspace.replant(["status"])).stderr).not.toContain("has not ended");
  });

  test("after every step while the baseline is built", { timeout: 600_000 }, async () => {
    const target = await prepared(name);
    for (const n of [2, 3, 4, 5, 6, 7, 8]) {
      await target.workspace.write({ "seeds/extra.ts": extraSeed(n) });
      await dieAt(target, `journal:${n}`);
      await recovers(target, `journal:${n}`);
    }
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    expect(await keptRows(target)).toHaveLength(39);
  });

  test.each(["backup:1", "backup:7", "carry:1", "carry:7", "swap:0", "swap:5", "swap:20"])(
    "in the middle of %s",
    async (fault) => {
      const target = await prepared(name);
      // The swap may be over before its time has come: then nothing died, and all is new.
      if (fault.startsWith("swap"))
        await target.workspace.start(["reset"], { entry: faulty, env: { FAULT: fault } }).done;
      else await dieAt(target, fault);
      expect(await keptRows(target)).toEqual(rowsOf.get(target));
      if (!fault.startsWith("swap")) await recovers(target, fault);
      const next = await target.workspace.replant(["reset"]);
      expect(next.code, next.stderr).toBe(0);
      expect(await keptRows(target)).toEqual(rowsOf.get(target));
      expect(await target.leftovers()).toEqual([]);
      const backups = await target.workspace.replant(["backups", "--json"]);
      expect(
        JSON.parse(backups.stdout).backups.filter((backup: { damage: string | null }) => backup.damage !== null),
      ).toEqual([]);
    },
  );

  test(
    "between the tasks of the chain, and inside each: nothing has changed, the next run starts clean",
    { timeout: 600_000 },
    async () => {
      const target = await prepared(name);
      const tasks = [
        ["backup", "--chain"],
        ["reset", "--chain"],
        ["seed", "--chain"],
        ["restore", "--chain"],
      ];
      for (const [index, task] of tasks.entries()) {
        for (const done of tasks.slice(0, index)) expect((await target.workspace.replant(done)).code).toBe(0);
        await dieAt(target, "journal:3", task);
        const other = await target.workspace.replant(["reset"]);
        expect(other.code, other.stderr).toBe(0);
        expect(await keptRows(target)).toHaveLength(39);
        expect(await target.leftovers()).toEqual([]);
        const late = await target.workspace.replant(["restore", "--chain"]);
        expect(late.code).toBe(1);
        expect(late.stderr).toContain("REPLANT_CHAIN_BROKEN");
      }
    },
  );
});

/** A seed that changes the fingerprint, so that a baseline has to be built. */
function extraSeed(n: number): string {
  return `import { defineSeed } from "@replant/seeds";
export const seed = defineSeed({ name: "extra", set: "system", dependsOn: ["mcp-servers"], async run({ upsert }) {
  await upsert("mcp_servers", [{ server_key: "extra", name: "Extra ${n}" }], { key: ["server_key"] });
} });
`;
}
