import { ReplantError } from "@replant/core";
import { createHash } from "node:crypto";

/** The server cuts longer names silently, and a cut name may be another database's. */
const nameBytesMax = 63;

/** @throws ReplantError REPLANT_NAME_INVALID for what cannot be the name of a live database */
export function checkDatabaseName(name: string): void {
  const why =
    name === ""
      ? "it is empty"
      : name.includes("\0")
        ? "it holds a NUL"
        : Buffer.byteLength(name) > nameBytesMax
          ? `it is longer than ${nameBytesMax} bytes`
          : name === "template0" || name === "template1"
            ? "the server makes every new database from it"
            : null;
  if (why === null) return;
  throw new ReplantError("REPLANT_NAME_INVALID", `${JSON.stringify(name)} cannot be the live database`, { why });
}

/** What a database beside live is called after. */
export type SiblingKind = "next" | "prev" | "build" | "scratch";

/**
 * `<live>__next_<6>`, the six hex digits standing for the run (`salt`: and for the attempt). A long live name is cut between two
 * characters and told apart by a hash of all of it.
 */
export function siblingName(
  live: string,
  kind: SiblingKind,
  { run, salt = 0 }: { run: string; salt?: number },
): string {
  return withSuffix(live, `__${kind}_${digest(salt === 0 ? run : `${run} ${salt}`).slice(0, 6)}`);
}

/** True for a name that `siblingName` could have made for this live database. */
export function isSiblingName(name: string, live: string): boolean {
  const suffix = /__(?:next|prev|build|scratch)_[0-9a-f]{6}$/.exec(name)?.[0];
  return suffix !== undefined && withSuffix(live, suffix) === name;
}

/** `replant_baseline_<16 of the fingerprint>`; with `owner` the name to take when another role has that one. */
export function baselineName(fingerprint: string, owner?: string): string {
  const name = `replant_baseline_${fingerprint.slice(0, 16)}`;
  return owner === undefined ? name : `${name}_${digest(owner).slice(0, 6)}`;
}

/** What the server calls the session that swaps this live database: whoever asks for the outcome looks for it. */
export function swapApplication(live: string): string {
  return `replant swap ${digest(live).slice(0, 16)}`;
}

/** A key for `pg_advisory_lock(bigint)`, as text. */
export function advisoryKey(text: string): string {
  return createHash("sha256").update(text).digest().readBigInt64BE(0).toString();
}

function withSuffix(live: string, suffix: string): string {
  const whole = `${live}${suffix}`;
  if (Buffer.byteLength(whole) <= nameBytesMax) return whole;
  const tail = `_${digest(live).slice(0, 8)}${suffix}`;
  return `${cutToBytes(live, nameBytesMax - Buffer.byteLength(tail))}${tail}`;
}

function cutToBytes(text: string, bytesMax: number): string {
  let cut = "";
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytesMax) break;
    cut += character;
  }
  return cut;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
