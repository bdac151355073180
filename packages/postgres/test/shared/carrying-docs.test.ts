import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import type { KeepRule, KeepRules, NaturalKeys, ReferenceRule } from "@replant/core";
import { describe, expect, test } from "vitest";
import { carryBetween, type Carried, keepAll, lines } from "./harness.ts";
import { replayBetween } from "./replay-harness.ts";
import { serverSessions } from "./sessions.ts";

const page = readFileSync(new URL("../../../../docs/carrying.md", import.meta.url), "utf8");

interface Example {
  readonly title: string;
  readonly blocks: ReadonlyMap<string, string>;
}

/** The parts under a heading of the third level that hold code. */
const examples = page
  .split(/^### /m)
  .slice(1)
  .map((text): Example => {
    const blocks = [...text.matchAll(/^```(.+)\n([^]*?)^```$/gm)].map(
      ([, name = "", body = ""]) => [name, body] as const,
    );
    return { title: text.slice(0, text.indexOf("\n")), blocks: new Map(blocks) };
  });

interface WrittenRule extends Omit<Partial<KeepRule>, "references"> {
  readonly references?: readonly { readonly path: string; readonly table: string }[];
}

interface Written {
  readonly keep: Readonly<Record<string, true | WrittenRule>>;
  readonly naturalKeys?: NaturalKeys;
}

/** Rules as a configuration file has them, with every default filled in. */
function rulesOf(text: string): { keep: KeepRules; naturalKeys: NaturalKeys } {
  const { keep, naturalKeys = {} } = runInNewContext(`({ ${text} })`) as Written;
  const rules = Object.entries(keep).map(([label, rule]): [string, KeepRule] => {
    if (rule === true) return [label, keepAll];
    const { references, ...rest } = rule;
    const listed = (references ?? []).map((reference): ReferenceRule => ({
      column: null,
      when: null,
      onMissing: "error",
      ...reference,
      path: reference.path.split("."),
    }));
    return [label, { ...keepAll, ...rest, ...(listed.length === 0 ? {} : { references: listed }) }];
  });
  return { keep: Object.fromEntries(rules), naturalKeys };
}

describe("docs/carrying.md", () => {
  test("has an example for every rung and rule", () => {
    const rules = examples.map(({ blocks }) => blocks.get("ts") ?? "").join("\n");
    const words = [
      "renamedFrom",
      "rename:",
      "fill:",
      "convert:",
      "map:",
      "drop:",
      "from:",
      "references:",
      "naturalKeys:",
    ];
    for (const word of [...words, "onMissing:", "seed:", "drop-row", "onConflict:"]) expect(rules).toContain(word);
  });

  test.each(examples)("$title: does what the page says", async ({ blocks }) => {
    const of = (name: string): string => blocks.get(name) ?? "";
    const { keep, naturalKeys } = rulesOf(of("ts"));
    const [live, candidate, scratch] = await serverSessions(15)(3);
    if (live === undefined || candidate === undefined || scratch === undefined) throw new Error("three were asked for");
    await live.script(of("sql before"));
    const migration = blocks.get("sql migration");
    let carried: Carried;
    if (migration === undefined) {
      await candidate.script(of("sql after"));
      carried = await carryBetween(live, candidate, keep, { naturalKeys });
    } else {
      const schema = of("sql before").replaceAll(/^insert .*$/gm, "");
      await scratch.script(schema);
      await candidate.script(schema + migration);
      ({ carried } = await replayBetween(
        { live, scratch, candidate, migrate: (session) => session.script(migration) },
        keep,
      ));
    }
    expect([carried.findings, carried.outcome.quarantined]).toEqual([[], []]);
    expect(await lines(candidate, of("sql result").replace(/;\s*$/, ""))).toEqual(of("text").trimEnd().split("\n"));
  });
});
