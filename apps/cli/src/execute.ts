import type { Ports } from "@replant/core";
import type { Cli, Input as StandardInput, Output, Screen, Trace } from "./cli.ts";
import type { Handler, Input } from "./command.ts";
import type { Arguments } from "./flags.ts";
import type { FlagSpecs } from "./flags.ts";
import type { ExitCode } from "./exit.ts";
import type { Environment, Terminal } from "./interaction.ts";
import type { Interruption } from "./interruption.ts";
import type { Redactor } from "./redact.ts";
import { failureOf, githubAnnotation } from "./render/failure.ts";
import { eventLine, failureDocument, outcomeDocument, resultLine, streamLine } from "./render/json.ts";
import type { Reporter } from "./render/text.ts";
import { createReporter } from "./render/text.ts";

/** The process around one command; both outputs are already free of secrets. */
export interface Surroundings {
  readonly arguments: Arguments;
  readonly env: Environment;
  readonly cwd: string;
  readonly terminal: Terminal;
  readonly stdin: StandardInput;
  /** Standard error itself, for a question that draws on it. */
  readonly screen: Screen;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly redact: Redactor;
  readonly interruption: Interruption;
  readonly decorate: (ports: Ports) => Ports;
}

/** Runs one handler: its events and its end become text for people, and JSON where that was asked for. Never throws. */
export async function execute<Flags extends FlagSpecs>(
  around: Surroundings,
  {
    command,
    load,
    input,
  }: { command: string; load: () => Promise<{ readonly handle: Handler<Flags> }>; input: Input<Flags> },
): Promise<ExitCode> {
  const reporter = createReporter({ terminal: around.terminal, output: around.stderr, now: () => performance.now() });
  const trace: Trace = { run: null, root: null };
  try {
    const { handle } = await load();
    const outcome = await handle(cliFor(around, { command, reporter, trace }), input);
    reporter.lines(outcome.text(reporter.style));
    if (outcome.raw !== undefined && around.arguments.json === null) around.stdout.write(outcome.raw);
    writeDocument(around, outcomeDocument(command, outcome));
    return outcome.exit ?? 0;
  } catch (error) {
    return fail(around, { error, command, reporter, trace });
  } finally {
    reporter.close();
  }
}

/** Shows an error that came before any handler was called, such as a flag that does not exist. */
export function failEarly(around: Surroundings, error: unknown): ExitCode {
  const reporter = createReporter({ terminal: around.terminal, output: around.stderr, now: () => performance.now() });
  return fail(around, { error, command: null, reporter, trace: { run: null, root: null } });
}

function cliFor(
  around: Surroundings,
  { command, reporter, trace }: { command: string; reporter: Reporter; trace: Trace },
): Cli {
  const { env, cwd, terminal, stdin, screen, redact, interruption, decorate } = around;
  return {
    command,
    argv: around.arguments.argv,
    env,
    cwd,
    terminal,
    stdin,
    screen,
    redact,
    interruption,
    decorate,
    header: (header) => reporter.header(header),
    emit: (event) => {
      reporter.event(event);
      if (around.arguments.json === "stream") writeLine(around.stdout, eventLine(event));
    },
    stream: around.arguments.json === "stream" ? (line) => writeLine(around.stdout, streamLine(line)) : null,
    pause: (work) => reporter.pause(work),
    trace,
  };
}

function fail(
  around: Surroundings,
  { error, command, reporter, trace }: { error: unknown; command: string | null; reporter: Reporter; trace: Trace },
): ExitCode {
  const failure = failureOf(error, {
    signal: around.interruption.by(),
    log: trace.run === null ? null : `.replant/runs/${trace.run}/`,
    debug: around.arguments.debug,
  });
  reporter.failure(failure);
  if (around.env["GITHUB_ACTIONS"] === "true") reporter.lines([githubAnnotation(failure)]);
  writeDocument(around, failureDocument(command, failure));
  return failure.exit;
}

function writeDocument({ stdout, arguments: { json } }: Surroundings, document: object): void {
  if (json === "document") stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  if (json === "stream") writeLine(stdout, resultLine(document));
}

function writeLine(output: Output, value: object): void {
  output.write(`${JSON.stringify(value)}\n`);
}
