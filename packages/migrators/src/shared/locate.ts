/** Where in a text a statement's error happened. */
export interface ErrorPlace {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1; null where only the line is known. */
  readonly column: number | null;
  /** False where it is only the statement that fits the server's words. */
  readonly sure: boolean;
}

interface Statement {
  readonly start: number;
  readonly text: string;
}

/**
 * Finds where in `text`, sent as one message, the server's error happened: by its position; else by the line that it names
 * inside a DO block; else by the objects that it names. null when nothing tells.
 */
export function locateError(text: string, error: unknown): ErrorPlace | null {
  const position = Number(field(error, "position"));
  if (position >= 1) return placeAt(text, position);
  const statements = splitStatements(text);
  return inBlock(text, statements, error) ?? byNames(text, statements, error);
}

/** The server counts characters from 1, JavaScript UTF-16 units from 0. */
function placeAt(text: string, position: number): ErrorPlace {
  let offset = 0;
  for (let n = 1; n < position && offset < text.length; n += 1) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  const before = text.slice(0, offset);
  const column = Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
  return { line: lineAt(text, offset), column, sure: true };
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The only DO block of the text, at the line that the server names. */
function inBlock(text: string, statements: readonly Statement[], error: unknown): ErrorPlace | null {
  const line = /inline_code_block line (\d+)/.exec(field(error, "where"))?.[1];
  const blocks = statements.filter((statement) => /^do\b/i.test(statement.text));
  const [block] = blocks;
  if (line === undefined || block === undefined || blocks.length > 1) return null;
  const body = block.start + Math.max(block.text.indexOf("$"), 0);
  return { line: lineAt(text, body) + Number(line) - 1, column: null, sure: true };
}

/** The last statement that names what the error names: constraints come after what they constrain. */
function byNames(text: string, statements: readonly Statement[], error: unknown): ErrorPlace | null {
  const fields = ["table", "column", "constraint", "dataType"].map((name) => field(error, name)).filter(Boolean);
  const quoted = [...field(error, "message").matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? "");
  const choices = [fields, fields.slice(0, 1), quoted].filter((names) => names.length > 0);
  for (const names of choices) {
    const found = statements.findLast((statement) => names.every((name) => mentions(statement.text, name)));
    if (found !== undefined) return { line: lineAt(text, found.start), column: null, sure: false };
  }
  return null;
}

function mentions(statement: string, name: string): boolean {
  const escaped = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\p{L}\p{N}_$])${escaped}(?![\p{L}\p{N}_$])`, "iu").test(statement);
}

const token =
  /[eE]'(?:[^'\\]|\\[\s\S])*'|'[^']*'|"[^"]*"|(\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)[\s\S]*?\1|(--[^\n]*|\/\*[\s\S]*?\*\/|\s+)|(;)|[^'"$;\s\-/eE]+|[\s\S]/uy;

/** Splits SQL at semicolons outside of quotes and comments; good enough to point at a statement, not to run it. */
export function splitStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  let start: number | null = null;
  const end = (offset: number): void => {
    if (start !== null) statements.push({ start, text: text.slice(start, offset) });
    start = null;
  };
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, , blank, semicolon] = match;
    if (semicolon !== undefined) end(match.index);
    else if (blank === undefined) start ??= match.index;
  }
  end(text.length);
  return statements;
}

function field(error: unknown, name: string): string {
  if (typeof error !== "object" || error === null || !(name in error)) return "";
  const value = (error as Record<string, unknown>)[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
