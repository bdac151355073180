/** What the command sees of the process that runs it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The part of a stream that tells whether a terminal is behind it. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  getColorDepth?(env: object): number;
}

/** Who is at the other end, and what their screen can show. */
export interface Terminal {
  /** Somebody can be asked. */
  readonly interactive: boolean;
  /** Why nobody can be asked, in one word; null when somebody can. */
  readonly because: "turbo" | "ci" | "agent" | "no-tty" | "dumb" | "narrow" | null;
  /** Ticks and a progress line; otherwise one plain fact per line. */
  readonly rich: boolean;
  readonly colour: boolean;
  readonly columns: number;
}

/** Variables by which programs that type on behalf of somebody make themselves known. */
const agents =
  /^(CLAUDECODE|GEMINI_CLI|CURSOR_AGENT|CODEX_.+|COPILOT_CLI|QWEN_CODE|OPENCODE|CLINE_ACTIVE|AUGMENT_AGENT|AI_AGENT)$/;
const columnsMin = 40;

/**
 * Decides once what the run may expect of the terminal. A question is only asked where a person certainly reads it: turbo's own
 * screen looks like a terminal and delivers no keys, and a pipeline has nobody at all.
 */
export function terminalOf({
  env,
  stdin,
  stderr,
  noColor,
}: {
  readonly env: Environment;
  readonly stdin: Screen;
  readonly stderr: Screen;
  readonly noColor: boolean;
}): Terminal {
  // A pseudo terminal may say that it has no columns.
  const columns = stderr.columns === undefined || stderr.columns === 0 ? 80 : stderr.columns;
  const because = reasonOf({ env, tty: stderr.isTTY === true, answers: stdin.isTTY === true, columns });
  const rich = stderr.isTTY === true && (because === null || because === "narrow" || because === "no-tty");
  return {
    interactive: because === null,
    because,
    rich,
    colour: rich && !noColor && (stderr.getColorDepth?.(env) ?? 1) > 2,
    columns,
  };
}

function reasonOf({
  env,
  tty,
  answers,
  columns,
}: {
  env: Environment;
  tty: boolean;
  answers: boolean;
  columns: number;
}): Terminal["because"] {
  if (isSet(env["TURBO_HASH"])) return "turbo";
  if (isSet(env["CI"]) && env["CI"] !== "false") return "ci";
  if (Object.entries(env).some(([name, value]) => agents.test(name) && isSet(value))) return "agent";
  if (env["TERM"] === "dumb") return "dumb";
  if (!tty || !answers) return "no-tty";
  return columns < columnsMin ? "narrow" : null;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}
