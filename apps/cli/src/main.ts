import { ExitCode, run } from "@stricli/core";
import { buildApp } from "./app.ts";
import type { Context } from "./command.ts";
import { allFlags, entryOf, loadCommand } from "./commands/index.ts";
import type { Surroundings } from "./execute.ts";
import { readArguments, runByNpm, wordsOf } from "./flags.ts";
import type { Shell, ShellOptions } from "./shell.ts";
import { openShell } from "./shell.ts";

/**
 * The whole command: parses `argv` (without the program's name), runs what it names, and prints. Only light modules are
 * loaded until a command runs.
 * @param options the process around it; whatever is absent is this process's own
 * @returns the exit code; it never throws for what a person can cause
 */
export async function main(argv: readonly string[], options: ShellOptions = {}): Promise<number> {
  const shell = openShell(options);
  try {
    return await dispatch(argv, shell);
  } finally {
    await shell.close();
  }
}

async function dispatch(argv: readonly string[], shell: Shell): Promise<number> {
  const { env } = shell;
  const entry = entryOf(wordsOf(argv));
  const command = entry === undefined ? null : await loadCommand(entry);
  const given = readArguments(argv, {
    env,
    flags: command?.spec.flags ?? {},
    known: runByNpm(env) ? await allFlags() : [],
  });
  const { problem } = given;
  if (problem !== null) {
    const { code, message, ...details } = problem;
    return failEarly(await shell.surroundings(given), { code, message, details });
  }
  let exit: number = 0;
  let complaint = "";
  const process = {
    env: {},
    stdout: { write: shell.print },
    stderr: { write: (text: string) => void (complaint += text) },
    // Stricli sets it only where nobody has.
    exitCode: null as number | string | null,
  };
  const context: Context = {
    process,
    execute: async (command, load, input) => {
      const { execute } = await import("./execute.ts");
      exit = await execute(await shell.surroundings(given), { command, load, input });
    },
  };
  const app = buildApp(command, async () => (await import("./version.ts")).readVersion());
  await run(app, given.argv, { process, forCommand: () => context });
  if (process.exitCode === 0) return exit;
  const message = complaint.trim();
  const mistyped = process.exitCode === ExitCode.InvalidArgument || process.exitCode === ExitCode.UnknownCommand;
  // Whatever else Stricli complains about is a bug of ours.
  return mistyped
    ? failEarly(await shell.surroundings(given), {
        code: "REPLANT_USAGE",
        message,
        details: { hint: helpHint(entry?.path ?? []) },
      })
    : failEarly(await shell.surroundings(given), { code: "REPLANT_INTERNAL", message, details: {} });
}

async function failEarly(
  around: Surroundings,
  {
    code,
    message,
    details,
  }: { code: "REPLANT_USAGE" | "REPLANT_FLAG_SWALLOWED" | "REPLANT_INTERNAL"; message: string; details: object },
): Promise<number> {
  const [{ failEarly: show }, { ReplantError }] = await Promise.all([import("./execute.ts"), import("@replant/core")]);
  return show(around, new ReplantError(code, message, details));
}

function helpHint(path: readonly string[]): string {
  return ["replant", ...path, "--help"].join(" ");
}
