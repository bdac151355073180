import { ReplantError } from "@replant/core";

/** Characters of one row; a row has to fit into memory, a document does not. */
const rowMax = 64 * 1024 * 1024;

/** Reads JSON of any length piece by piece. */
export interface Scanner {
  /** The next character that is no white space, without taking it; null at the end. */
  peek(): Promise<string | null>;
  /** Takes this character. */
  take(character: string): Promise<void>;
  /** Takes one whole value and gives its text. */
  value(): Promise<string>;
}

/** @throws ReplantError REPLANT_USAGE with the place, for what is not JSON or not UTF-8 */
export function createScanner(source: AsyncIterable<Uint8Array>): Scanner {
  const chunks = source[Symbol.asyncIterator]();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, at, before, ended] = ["", 0, 0, false];

  const fail = (why: string): ReplantError => notADocument(`${why} at character ${before + at + 1}`);
  /** Gets more text; false when there is none. */
  const fill = async (): Promise<boolean> => {
    if (ended) return false;
    const { value, done } = await chunks.next();
    ended = done === true;
    before += at;
    text = text.slice(at) + decode(decoder, ended ? null : (value as Uint8Array), fail);
    at = 0;
    if (text.length > rowMax) throw fail(`a value is longer than ${rowMax} characters`);
    return true;
  };
  const peek = async (): Promise<string | null> => {
    for (;;) {
      while (at < text.length && " \n\r\t".includes(text.charAt(at))) at += 1;
      if (at < text.length) return text.charAt(at);
      if (!(await fill())) return null;
    }
  };
  return {
    peek,
    take: async (character) => {
      if ((await peek()) !== character) throw fail(`"${character}" was expected`);
      at += 1;
    },
    value: async () => {
      if ((await peek()) === null) throw fail("a value was expected");
      const progress: Progress = { offset: 0, depth: 0, quoted: false };
      while (!advance(text, at, progress)) {
        if (await fill()) continue;
        if (progress.depth > 0 || progress.quoted) throw fail("the document ends inside a value");
        break;
      }
      const found = text.slice(at, at + progress.offset);
      if (found === "") throw fail("a value was expected");
      at += progress.offset;
      return found;
    },
  };
}

/** How far into a value the scanner has come. */
interface Progress {
  offset: number;
  depth: number;
  quoted: boolean;
}

/** Goes on to the end of the value or of the text; true when the value is over. */
function advance(text: string, start: number, progress: Progress): boolean {
  const [inString, outside] = [/["\\]/g, /["{}[\],\s]/g];
  for (;;) {
    const pattern = progress.quoted ? inString : outside;
    pattern.lastIndex = start + progress.offset;
    const index = pattern.exec(text)?.index;
    if (index === undefined) {
      progress.offset = text.length - start;
      return false;
    }
    const character = text.charAt(index);
    progress.offset = index + 1 - start;
    if (character === "\\") {
      if (index + 1 === text.length) {
        // What is escaped is not there yet: look at the backslash again.
        progress.offset -= 1;
        return false;
      }
      progress.offset += 1;
    } else if (character === '"') {
      progress.quoted = !progress.quoted;
      if (!progress.quoted && progress.depth === 0) return true;
    } else if (character === "{" || character === "[") progress.depth += 1;
    else if (progress.depth === 0) {
      progress.offset -= 1;
      return true;
    } else if (character === "}" || character === "]") {
      progress.depth -= 1;
      if (progress.depth === 0) return true;
    }
  }
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array | null,
  fail: (why: string) => Error,
): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw fail("the text is not UTF-8");
  }
}

export function notADocument(why: string): ReplantError {
  return new ReplantError("REPLANT_USAGE", `this is not a backup document: ${why}`, {
    why: 'a document is {"timestamp": "...", "version": "1.0", "tables": {"name": [{"column": value}]}}',
    state: "no backup was made",
  });
}
