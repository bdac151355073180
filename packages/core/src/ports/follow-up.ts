import type { SqlSession } from "./session.ts";

/** What is done about a new live database once it serves: it cannot fail the run that swapped. */
export interface FollowUp {
  readonly name: string;
  /** @param connect opens sessions to live; who opens one closes it */
  run(connect: () => Promise<SqlSession>): Promise<FollowUpOutcome>;
}

export interface FollowUpOutcome {
  /** `skipped`: there was no way to do it, and `text` says why. */
  readonly state: "done" | "skipped";
  /** One line for people. */
  readonly text: string;
  /** Further lines: one for each thing that a person should look at. */
  readonly items?: readonly string[];
  /** The same for programs. */
  readonly data?: object;
}
