import type { ManagedRole, NewDatabase } from "@replant/core";

/** What a database of ours says about itself, as its comment. Only a database with such a comment is ever dropped. */
export interface Mark extends NewDatabase {
  /** Name of the live database that it was made for. */
  readonly live: string;
  /** On previous: the comment that it had while it was live, which it gets back when it is live again. */
  readonly original: string | null;
}

/**
 * Connection limit of a database between its creation and its mark, which cannot be one transaction. With a name of ours it says
 * that a run died in between. Nobody sets a limit of 1,380,273,740 ("REPL" in ASCII) by hand.
 */
export const halfMadeLimit = 0x5245504c;

/** Connection limit that the server gives a database whose DROP did not end; it can only be dropped again. */
export const invalidLimit = -2;

const roles: readonly ManagedRole[] = ["building", "baseline", "candidate", "scratch", "previous"];

export function renderMark({ role, live, run, fingerprint, createdAt, original }: Mark): string {
  return JSON.stringify({ replant: 1, role, live, run, fingerprint, createdAt, original });
}

/** null for every comment that is not exactly a mark: a person may write anything there. */
export function parseMark(comment: string | null): Mark | null {
  const value = asRecord(comment);
  if (value === null || value["replant"] !== 1) return null;
  const { role, live, run, fingerprint, createdAt, original } = value;
  if (!isRole(role) || typeof live !== "string" || typeof run !== "string" || typeof createdAt !== "string")
    return null;
  if (!isTextOrNull(fingerprint) || !isTextOrNull(original)) return null;
  return { role, live, run, fingerprint, createdAt, original };
}

function asRecord(text: string | null): Record<string, unknown> | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isRole(value: unknown): value is ManagedRole {
  return roles.some((role) => role === value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
