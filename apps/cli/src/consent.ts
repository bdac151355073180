import { ReplantError } from "@replant/core";
import type { Readable, Writable } from "node:stream";
import type { Cli } from "./cli.ts";
import { invocationOf } from "./invocation.ts";

/** What somebody has to agree to. */
export interface Loss {
  /** The name that has to be given: the database's, unless `of` says otherwise. */
  readonly database: string;
  readonly of?: "backup" | "database";
  /** What happens, as a sentence: `12 rows that a smart reset would keep stay behind`. */
  readonly what: string;
  /** What `--yes=` names, or null. */
  readonly yes: string | null;
}

/**
 * Passes when the database was named: by `--yes=`, or typed where somebody certainly sits. Nobody is asked otherwise; the
 * refusal shows the command that agrees.
 * @throws ReplantError REPLANT_CONSENT_NEEDED
 */
export async function requireConsent(cli: Cli, loss: Loss): Promise<void> {
  const { database, what, yes, of: whose = "database" } = loss;
  if (yes === database) return;
  if (yes === null && cli.terminal.interactive && (await cli.pause(() => askForName(cli, loss))) === database) return;
  const args = cli.argv.filter((word) => !word.startsWith("--yes="));
  throw new ReplantError("REPLANT_CONSENT_NEEDED", `${what}, and nobody agreed to that`, {
    ...(yes === null || yes === database ? {} : { why: `--yes names "${yes}", the ${whose} is "${database}"` }),
    state: "nothing was touched",
    hint: invocationOf(cli.env, cli.trace.root).replant([...args, `--yes=${database}`]),
  });
}

async function askForName(cli: Cli, { database, what, of: whose = "database" }: Loss): Promise<string | null> {
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({
    message: `${what}. Type the ${whose}'s name to agree:`,
    placeholder: database,
    // A question is only asked where both are terminals.
    input: cli.stdin as unknown as Readable,
    output: cli.screen as unknown as Writable,
    signal: cli.interruption.signal,
  });
  return isCancel(answer) ? null : answer;
}
