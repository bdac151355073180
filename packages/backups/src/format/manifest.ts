import type { BackupManifest } from "@replant/core";
import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical.ts";
import { Malformed } from "./checks.ts";
import { damaged, formatVersion, newer } from "./damage.ts";
import { checkManifest } from "./manifest-shape.ts";

/** A manifest beyond this size is not read: it would have to be held in memory as a whole. */
export const manifestMaxBytes = 64 * 1024 * 1024;

const sealBytes = sealLine(new Uint8Array()).length;

/** The bytes of `manifest.json`: one line of canonical JSON that begins with the format's number, and the line that seals it. */
export function encodeManifest(manifest: BackupManifest): Uint8Array {
  const line = Buffer.from(manifestLine(manifest));
  return Buffer.concat([line, sealLine(line)]);
}

/**
 * Reads and verifies a manifest that may come from anywhere. The order matters: the format's number first, because a newer
 * format may differ in all the rest; then the seal, then the shape.
 * @param what the id or path for messages
 * @throws ReplantError REPLANT_BACKUP_NEWER | REPLANT_BACKUP_DAMAGED
 */
export function decodeManifest(bytes: Uint8Array, what: string): BackupManifest {
  const format = formatOf(bytes);
  if (format === null)
    throw damaged(what, "its manifest does not begin as one does; it was changed after it was written");
  if (format > formatVersion) throw newer(what, format);
  const line = bytes.subarray(0, -sealBytes);
  if (!sealLine(line).equals(bytes.subarray(line.length))) {
    throw damaged(what, "its manifest was changed after it was written, or is not whole");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
    const manifest = checkManifest(JSON.parse(text));
    // Two readers must never see two different manifests, as they might when a member stands twice.
    if (manifestLine(manifest) !== text) throw new Malformed("manifest is not canonical JSON");
    return manifest;
  } catch (error) {
    throw damaged(what, error instanceof Malformed ? error.message : "its manifest is not JSON", error);
  }
}

function manifestLine({ format, ...rest }: BackupManifest): string {
  return `{"format":${format},${canonicalJson(rest).slice(1)}\n`;
}

function sealLine(line: Uint8Array): Buffer {
  return Buffer.from(`{"sha256":"${sha256(line)}"}\n`);
}

/** The number with which every manifest of every format begins, or null. */
function formatOf(bytes: Uint8Array): number | null {
  const head = Buffer.from(bytes.subarray(0, 24)).toString("latin1");
  const digits = /^\{"format":([1-9]\d{0,8})[,}]/.exec(head)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** sha256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
