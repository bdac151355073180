import { createHash } from "node:crypto";

/** The namespace of local ids. It never changes: rebuilt databases give the same rows the same ids. */
const namespace = "78deb9b5-3f3d-41b7-94aa-4fbb085abd51";

/** The id of a new row: the same in every database for the same id of the provider. */
export function localId(providerId: string): string {
  return uuidV5(namespace, providerId);
}

/** UUID version 5 of RFC 9562: a name's id in a namespace (itself a UUID). */
export function uuidV5(space: string, name: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(space.replaceAll("-", ""), "hex"))
    .update(name, "utf8")
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
