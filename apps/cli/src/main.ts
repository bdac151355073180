import type { Ports } from "@replant/core";
import { ExitCode, run } from "@stricli/core";
import { buildApp } from "./app.ts";
import type { Input, Output, Screen } from "./cli.ts";
import type { Context } from "./command.ts";
import { allFlags, specOf } from "./commands/index.ts";
import type { Surroundings } from "./execute.ts";
import { readArguments } from "./flags.ts";
import type { Environment } from "./interaction.ts";
import { terminalOf } from "./interaction.ts";
import type { Interruption } from "./interruption.ts";
import { uninterrupted } from "./interruption.ts";
import { createRedactor } from "./redact.ts";
import { keepStdoutForData } from "./stdout.ts";

/** The process as the command sees it; whatever is absent is this process's own. */
export interface MainOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly stdin?: Input;
  readonly stdout?: Output;
  readonly stderr?: Screen;
  /** Told when the person wants out; without it nobody does. */
  readonly interruption?: Interruption;
  /** Puts something between the run and the real ports; tests inject faults with it. */
  readonly decorate?: (ports: Ports) => Ports;
}

/**
 * The whole command: parses `argv` (without the program's name), runs what it names, and prints. Only light modules are
 * loaded until a command runs.
 * @returns the exit code; it never throws for what a person can cause
 */
export async function main(argv: readonly string[], options: MainOptions = {}): Promise<number> {
  const redact = createRedactor();
  const screen = options.stderr ?? process.stderr;
  const stderr: Output = { write: (text) => screen.write(redact.clean(text)) };
  const kept = options.stdout === undefined ? keepStdoutForData(stderr) : null;
  const data = options.stdout ?? kept?.data ?? process.stdout;
  const env = options.env ?? process.env;
  const stdin = options.stdin ?? process.stdin;
  const given = readArguments(argv, { env, specOf, known: allFlags });
  try {
    return await dispatch({
      arguments: given,
      env,
      cwd: options.cwd ?? process.cwd(),
      terminal: terminalOf({ env, stdin, stderr: screen, noColor: given.noColor }),
      stdin,
      screen,
      stdout: { write: (text) => data.write(redact.clean(text)) },
      stderr,
      redact,
      interruption: options.interruption ?? uninterrupted(),
      decorate: options.decorate ?? ((ports) => ports),
    });
  } finally {
    kept?.restore();
  }
}

async function dispatch(around: Surroundings): Promise<number> {
  const { problem, argv } = around.arguments;
  if (problem !== null) {
    const { code, message, ...details } = problem;
    return failEarly(around, { code, message, details });
  }
  let exit: number = 0;
  let complaint = "";
  const process = {
    env: {},
    stdout: around.stdout,
    stderr: { write: (text: string) => void (complaint += text) },
    // Stricli sets it only where nobody has.
    exitCode: null as number | string | null,
  };
  const context: Context = {
    process,
    execute: async (command, load, input) => {
      const { execute } = await import("./execute.ts");
      exit = await execute(around, { command, load, input });
    },
  };
  const app = buildApp(async () => (await import("./version.ts")).readVersion());
  await run(app, argv, { process, forCommand: () => context });
  if (process.exitCode === 0) return exit;
  const message = complaint.trim();
  const mistyped = process.exitCode === ExitCode.InvalidArgument || process.exitCode === ExitCode.UnknownCommand;
  // Whatever else Stricli complains about is a bug of ours.
  return mistyped
    ? failEarly(around, { code: "REPLANT_USAGE", message, details: { hint: helpHint(argv) } })
    : failEarly(around, { code: "REPLANT_INTERNAL", message, details: {} });
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

function helpHint(argv: readonly string[]): string {
  const path = specOf(argv.filter((word) => !word.startsWith("-")))?.path ?? [];
  return ["replant", ...path, "--help"].join(" ");
}
