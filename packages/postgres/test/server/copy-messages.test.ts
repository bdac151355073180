import { expect, test } from "vitest";
import { CopyMessages } from "../../src/server/copy-messages.ts";

function message(kind: string, content: string): Buffer {
  const header = Buffer.from(`${kind}\0\0\0\0`);
  header.writeUInt32BE(4 + Buffer.byteLength(content), 1);
  return Buffer.concat([header, Buffer.from(content)]);
}

const opening = message("H", "\0\0\0");
const notice = message("N", "a notice");
const end = Buffer.concat([message("c", ""), message("C", "COPY 3\0"), message("Z", "I")]);
const answer = Buffer.concat([
  opening,
  message("d", "first\n"),
  notice,
  message("d", ""),
  message("d", "second\n"),
  message("d", "third\n"),
  end,
]);

function parted(bytes: Buffer, cut: number): { rows: string; other: Buffer; rest: Buffer | null } {
  const other: Buffer[] = [];
  const messages = new CopyMessages((piece) => other.push(piece));
  let [rows, at] = ["", 0];
  while (at < bytes.length && messages.rest === null) {
    const piece = Buffer.from(bytes.subarray(at, at + cut));
    rows += piece.toString("utf8", 0, messages.take(piece));
    at += piece.length;
  }
  const rest = messages.rest === null ? null : Buffer.concat([messages.rest, bytes.subarray(at)]);
  return { rows, other: Buffer.concat(other), rest };
}

test.each(Array.from({ length: answer.length }, (_, index) => index + 1))(
  "rows, what is said beside them and the end are told apart in pieces of %i bytes",
  (cut) => {
    expect(parted(answer, cut)).toEqual({
      rows: "first\nsecond\nthird\n",
      other: Buffer.concat([opening, notice]),
      rest: end,
    });
  },
);

test("an error ends the rows", () => {
  const error = message("E", "SERROR\0\0");
  expect(parted(Buffer.concat([opening, message("d", "first\n"), error]), 7)).toEqual({
    rows: "first\n",
    other: opening,
    rest: error,
  });
});
