import type { Output } from "./cli.ts";
import type { Surroundings } from "./execute.ts";
import type { Arguments } from "./flags.ts";
import { terminalOf } from "./interaction.ts";
import { uninterrupted } from "./interruption.ts";
import { createRedactor } from "./redact.ts";
import type { OwnStreams, ShellOptions } from "./shell.ts";
import { keepForData } from "./stdout.ts";

/** Joins the process, or what stands for it, to one command. */
export function surround(
  given: Arguments,
  { options, streams }: { options: ShellOptions; streams: OwnStreams },
): Surroundings {
  const redact = createRedactor();
  const env = options.env ?? process.env;
  const stdin = options.stdin ?? process.stdin;
  const screen = options.stderr ?? streams.use(process.stderr);
  const stderr: Output = { write: (text) => screen.write(redact.clean(text)) };
  const data = options.stdout ?? ownStdout(streams, stderr);
  return {
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
  };
}

function ownStdout(streams: OwnStreams, people: Output): Output {
  const { data, restore } = keepForData(streams.use(process.stdout), people);
  streams.onClose(restore);
  return data;
}
