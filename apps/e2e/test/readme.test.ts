import { readFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { commandTable, main } from "@replant/cli";
import { describe, expect, test } from "vitest";
import { addSyncedRows, openTarget } from "./target.ts";

const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");

/** What stays of an output when names, numbers and times are taken out. */
function shape(output: string): string[] {
  return stripVTControlCharacters(output)
    .split(/[\r\n]+/)
    .map((line) =>
      line
        .replaceAll(/[\w.-]*\d[\w.:-]*/g, "#")
        .replaceAll(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
}

describe("the README", () => {
  test("shows what a reset really prints on a terminal", async () => {
    const target = await openTarget("PostgreSQL 15");
    const { workspace, url } = target;
    await workspace.replant(["reset"]);
    await addSyncedRows(target);
    await workspace.replant(["reset"]);
    let written = "";
    const screen = { isTTY: true, columns: 110, write: (text: string) => ((written += text), true) };
    const env = {
      DATABASE_URL: url ?? "",
      TERM: "xterm",
      npm_lifecycle_event: "db:reset",
      npm_config_user_agent: "pnpm/12.0.0",
    };
    const code = await main(["reset"], {
      cwd: workspace.directory,
      env,
      stdout: screen,
      stderr: screen,
      stdin: { isTTY: true } as never,
    });
    expect(code, written).toBe(0);
    const shown = /\$ pnpm db:reset\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const steps = (lines: string[]): string[] =>
      lines.filter((line) => line.startsWith("✔")).map((line) => line.split(" ").slice(0, 2).join(" "));
    expect(steps(shape(written))).toEqual(steps(shape(shown)));
    const facts = (lines: string[]): string[] => lines.filter((line) => /^(kept|backup|previous|Done)/.test(line));
    expect(facts(shape(written)).map((line) => line.split(" ")[0])).toEqual(
      facts(shape(shown)).map((line) => line.split(" ")[0]),
    );
  });

  test("names only commands that exist", () => {
    const known = new Set(commandTable.map(({ path }) => path[0]));
    const named = [...readme.matchAll(/`replant ([a-z]+)/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test("names only scripts that exist", async () => {
    const { scripts } = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/pnpm(?:@12)? ([a-z:]+)/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
