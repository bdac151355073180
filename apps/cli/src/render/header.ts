import type { Terminal } from "../interaction.ts";
import type { Style } from "./style.ts";

/** What the first line of every command says: where it works, and how that was found. */
export interface Header {
  readonly version: string;
  readonly project: string;
  readonly database: string;
  /** `localhost:5432`, or the directory of the embedded engine. */
  readonly location: string;
  /** `DATABASE_URL of the shell`, `packages/database/.env:3`, `no DATABASE_URL found, using embedded`. */
  readonly source: string;
  readonly embedded: boolean;
}

/** The first line, for a person or, off a terminal, as `key=value`. */
export function headerLine(header: Header, { style, terminal }: { style: Style; terminal: Terminal }): string {
  const { version, project, database, location, source, embedded } = header;
  if (!terminal.rich) {
    const why = terminal.because === null ? "yes" : `no(${terminal.because})`;
    return `replant target=${database}@${location} source=${quoted(source)} interactive=${why}`;
  }
  const target = embedded ? `embedded Postgres (PGlite) at ${location}` : `${style.strong(database)} @ ${location}`;
  return `${style.strong("replant")} ${version}  ${project} -> ${target}     ${style.faint(`from ${source}`)}`;
}

/** A value of a `key=value` line: quoted when it has spaces. */
export function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
