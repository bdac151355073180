import type { ShellOptions } from "../src/shell.ts";

/** Streams that remember what was written; `tty` makes them look like a terminal with 256 colours. */
export interface FakeScreen {
  readonly options: Required<Pick<ShellOptions, "stdin" | "stdout" | "stderr" | "env" | "cwd">>;
  stdout(): string;
  stderr(): string;
}

export function fakeScreen({
  tty = false,
  columns = 80,
  env = {},
  cwd = "/",
}: {
  tty?: boolean;
  columns?: number;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
} = {}): FakeScreen {
  let [out, err] = ["", ""];
  return {
    options: {
      env,
      cwd,
      stdin: { isTTY: tty } as ShellOptions["stdin"] & object,
      stdout: { write: (text) => (out += text) },
      stderr: {
        isTTY: tty,
        columns,
        getColorDepth: (given: Record<string, string | undefined>) => (given["NO_COLOR"] === undefined ? 8 : 1),
        write: (text) => (err += text),
      },
    },
    stdout: () => out,
    stderr: () => err,
  };
}

/** True when a text has codes that only a terminal understands. */
export function hasEscapes(text: string): boolean {
  return text.includes("\u001B");
}
