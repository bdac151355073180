import type { BackupManifest } from "@replant/core";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "../src/format/canonical.ts";
import { sha256 } from "../src/format/manifest.ts";
import { chainNext, chainStart, encodeHeader, type Header } from "../src/format/part.ts";

/** A manifest of any content under a right seal, as somebody writes it who knows the format. */
export function resealed(content: object): Buffer {
  const { format, ...rest } = content as { format?: unknown };
  const members = canonicalJson(rest).slice(1);
  return sealed(`{"format":${canonicalJson(format ?? null)}${members === "}" ? "" : ","}${members}`);
}

/** Any line under a right seal. */
export function sealed(line: string, encoding: BufferEncoding = "utf8"): Buffer {
  const bytes = Buffer.from(`${line}\n`, encoding);
  return Buffer.concat([bytes, Buffer.from(`{"sha256":"${sha256(bytes)}"}\n`)]);
}

export function readManifestJson(directory: string): BackupManifest {
  return JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8").split("\n")[0] ?? "") as BackupManifest;
}

/**
 * Puts frames of any content into one of a backup's parts (`t0001` unless said), every hash of chain, entry and seal right.
 * @param frames headers and the stored bytes; a sequence of 0 stands for the right one
 */
export function plantPart(
  directory: string,
  frames: readonly { readonly header: Header; readonly stored: Uint8Array }[],
  totals: { readonly rows: number; readonly sizeBytes: number; readonly part?: string },
): void {
  const { part = "t0001", rows, sizeBytes } = totals;
  const manifest = readManifestJson(directory);
  let chain = chainStart(manifest.id, part);
  const pieces = frames.flatMap(({ header, stored }, place) => {
    const numbered = { ...header, sequence: header.sequence || place };
    chain = chainNext(chain, numbered, stored);
    return [encodeHeader(numbered, chain), stored];
  });
  const file = Buffer.concat(pieces);
  writeFileSync(join(directory, `${part}.copy.zst`), file);
  const entries = manifest.entries.map((entry) =>
    entry.id === part ? { ...entry, rows, sizeBytes, storedBytes: file.length, sha256: sha256(file) } : entry,
  );
  writeFileSync(join(directory, "manifest.json"), resealed({ ...manifest, entries }));
}
