/** Frames of the PostgreSQL protocol, version 3: the few that a server has to write and read by itself. */

/** One message of a client: its type letter, and all of it, header included. */
export interface ClientMessage {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What a connection starts with. */
export type StartPacket =
  | { readonly kind: "startup"; readonly parameters: ReadonlyMap<string, string> }
  /** TLS or GSS encryption is asked for; the answer is `N`. */
  | { readonly kind: "encryption" }
  | { readonly kind: "other" };

const startPacketBytesMax = 10_000;

/** Cuts a byte stream into messages, whatever the sizes of its chunks. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The first packet has no type. null: not all of it is here yet. Throws when it cannot be one. */
  start(): StartPacket | null {
    const length = this.#peek(4)?.readInt32BE(0);
    if (length === undefined) return null;
    if (length < 8 || length > startPacketBytesMax) throw new Error("not a PostgreSQL client");
    const packet = this.#take(length);
    return packet === null ? null : parseStart(packet);
  }

  next(): ClientMessage | null {
    const header = this.#peek(5);
    if (header === null) return null;
    const length = header.readInt32BE(1);
    if (length < 4) throw new Error("not a PostgreSQL message");
    const bytes = this.#take(length + 1);
    return bytes === null ? null : { type: String.fromCharCode(bytes[0] ?? 0), bytes };
  }

  #peek(size: number): Buffer | null {
    if (this.#size < size) return null;
    const [first] = this.#chunks;
    // Joined only when a message is known to be complete or its header is torn: a large one arrives in thousands of chunks.
    if (first === undefined || first.length < size) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? null;
  }

  #take(size: number): Buffer | null {
    const all = this.#peek(size);
    if (all === null) return null;
    this.#chunks[0] = all.subarray(size);
    this.#size -= size;
    return all.subarray(0, size);
  }
}

function parseStart(packet: Buffer): StartPacket {
  const code = packet.readInt32BE(4);
  if (code === 80877103 || code === 80877104) return { kind: "encryption" };
  if (code >> 16 !== 3) return { kind: "other" };
  const texts = packet.subarray(8).toString("utf8").split("\0");
  const pairs = texts.flatMap((name, index) =>
    index % 2 === 0 && name !== "" ? [[name, texts[index + 1] ?? ""] as const] : [],
  );
  return { kind: "startup", parameters: new Map(pairs) };
}

/** A message of the server. */
export function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  const header = Buffer.alloc(5);
  header.write(type, 0, "latin1");
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

export interface WireError {
  readonly severity: "ERROR" | "FATAL";
  readonly code: string;
  readonly text: string;
  readonly hint?: string;
}

export function errorMessage({ severity, code, text, hint }: WireError): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`, ...(hint === undefined ? [] : [`H${hint}`])];
  return message("E", fields.map((field) => `${field}\0`).join(""), "\0");
}

/** The answer to a startup packet: authenticated, parameters, ready. */
export function welcome(parameters: Readonly<Record<string, string>>, processId: number): Buffer {
  return Buffer.concat([
    message("R", int32(0)),
    ...Object.entries(parameters).map(([name, value]) => message("S", `${name}\0${value}\0`)),
    message("K", int32(processId), int32(0)),
    message("Z", "I"),
  ]);
}

/** Where a message names a prepared statement: its text before and behind the name. null for all other messages. */
export function statementName({ type, bytes }: ClientMessage): { before: Buffer; name: string; behind: Buffer } | null {
  let start = 5;
  if (type === "B") start = bytes.indexOf(0, 5) + 1;
  else if ((type === "D" || type === "C") && bytes[5] === "S".charCodeAt(0)) start = 6;
  else if (type !== "P") return null;
  const end = bytes.indexOf(0, start);
  return { before: bytes.subarray(5, start), name: bytes.toString("utf8", start, end), behind: bytes.subarray(end) };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
