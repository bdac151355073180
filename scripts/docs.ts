/*
 * Writes docs/cli.md from the command table and docs/errors.md from the table of codes. With --check nothing is written: a page
 * that is not what it would be is named, and the exit code is 1.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commonFlags, kebab, type FlagSpec, type FlagSpecs } from "../apps/cli/src/flags.ts";
import type { CommandSpec } from "../apps/cli/src/command.ts";
import { loadCommands } from "../apps/cli/src/commands/index.ts";
import { exitCodes, exitOfKind, type ExitCode } from "../apps/cli/src/exit.ts";
import { errorCodes, type ErrorKind } from "../packages/core/src/errors.ts";

const root = join(import.meta.dirname, "..");
const commands = await loadCommands();
const made = "<!-- Made by scripts/docs.ts. Change the tables it is made from, then: pnpm docs -->";
const pages = { "docs/cli.md": cliPage(), "docs/errors.md": errorsPage() };

if (process.argv.includes("--check")) {
  const stale = Object.entries(pages).filter(([path, text]) => readPage(path) !== text);
  for (const [path] of stale) console.error(`${path} is not what the code says; make it anew: node scripts/docs.ts`);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const [path, text] of Object.entries(pages)) writeFileSync(join(root, path), text);
}

function readPage(path: string): string | null {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : null;
}

function cliPage(): string {
  return page([
    "# The command line",
    made,
    "`replant <command>`. What people read goes to stderr; stdout carries only what was asked for as data (`--json`).",
    "## Commands",
    table(
      ["command", "what it does"],
      commands.map(({ spec }) => [`[\`${nameOf(spec)}\`](#${nameOf(spec).replaceAll(" ", "-")})`, spec.brief]),
    ),
    "## Flags of every command",
    flagTable(commonFlags),
    "Flags are strict: one that does not exist is refused, with the nearest that does. One leading `--` is ignored, so that `npm run db:reset -- --dry-run` and `pnpm db:reset -- --dry-run` work. `npm run db:reset --dry-run` gives the script no flag at all: `--dry-run` and `--json` are honoured all the same, and any other flag that npm kept is refused.",
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.entries(exitCodes).map(([code, meaning]) => [code, meaning]),
    ),
    "A wrong command line ends with 64 and an interrupted run with 130 or 143, whatever the command; each command below names the others that it can give. [docs/errors.md](errors.md) lists the error codes behind them.",
    "## Data",
    '`--json` prints one document: `{"version": 1, "command": …, "ok": true, …}`, or `{"version": 1, "command": …, "ok": false, "error": {code, message, where, excerpt, why, state, hint, items, log, exit}}`, where what is not known is null. `--json=stream` prints one object per line: events as they happen, and last `{"version": 1, "type": "result", "document": …}`. Fields are added without raising the version, never removed or changed.',
    ...commands.flatMap(({ spec }) => commandSection(spec)),
  ]);
}

function commandSection(spec: CommandSpec): string[] {
  const name = nameOf(spec);
  const words = [...(spec.argument === null ? [] : [spec.argument]), ...(spec.further ?? [])];
  const argument = words.map(({ placeholder }) => ` [${placeholder}]${spec.many === true ? "..." : ""}`).join("");
  const flags = Object.keys(spec.flags).length === 0 ? "" : " [flags]";
  return [
    `## ${name}`,
    `${spec.brief}.`,
    ["```", `replant ${name}${argument}${flags}`, "```"].join("\n"),
    spec.description,
    ...words.map(({ placeholder, brief }) => `\`${placeholder}\`: ${brief}.`),
    ...(flags === "" ? [] : [flagTable(spec.flags)]),
    table(
      ["example", "meaning"],
      spec.examples.map(({ line, meaning }) => [`\`${line}\``, meaning]),
    ),
    `**Side effects**\n\n${readFileSync(join(root, "apps/cli/src/commands", spec.folder, "SIDE_EFFECTS.md"), "utf8").trim()}`,
    `**Exit codes** 0${spec.exits.map((code) => `, ${code}`).join("")}.`,
  ];
}

function nameOf({ path }: CommandSpec): string {
  return path.join(" ");
}

function flagTable(flags: FlagSpecs): string {
  return table(
    ["flag", "meaning"],
    Object.entries(flags).map(([name, flag]) => [`${aliasOf(flag)}\`--${kebab(name)}${valueOf(flag)}\``, flag.brief]),
  );
}

function valueOf(flag: FlagSpec): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "choice":
      return `[=${flag.values.join("|")}]`;
    case "list":
      return flag.separator === null ? `=<${flag.placeholder}>` : `=<${flag.placeholder}>[,...]`;
    case "value":
    case "number":
      return `=<${flag.placeholder}>`;
    default:
      return flag satisfies never;
  }
}

function errorsPage(): string {
  const rows = Object.entries(errorCodes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, [kind, meaning]]) => [`\`${code}\``, exitText(code, kind), meaning]);
  return page([
    "# Error codes",
    made,
    "Every failure that Replant foresees has a code, and says what happened, where, why, what became of your data, and what to do next. A code keeps its meaning.",
    table(["code", "exit", "meaning"], rows),
    "## Exit codes",
    table(
      ["exit", "meaning"],
      Object.entries(exitCodes).map(([code, meaning]) => [code, meaning]),
    ),
  ]);
}

function exitText(code: string, kind: ErrorKind): string {
  const exit: ExitCode = exitOfKind[kind];
  return code === "REPLANT_CANCELLED" ? "130, 143" : String(exit);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function page(blocks: readonly string[]): string {
  return `${blocks.join("\n\n")}\n`;
}

function aliasOf(flag: FlagSpec): string {
  return flag.kind === "value" && flag.alias !== undefined ? `\`-${flag.alias}\`, ` : "";
}
