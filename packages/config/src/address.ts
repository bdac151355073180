import { ReplantError } from "@replant/core";

/** What a connection's URL says about where it leads, without user and password. */
export interface Address {
  /** `localhost:5432`, or the path of the socket. Printable ASCII. */
  readonly location: string;
  /** Name of the host, lower case; empty for a socket. */
  readonly host: string;
  readonly database: string;
  /** Loopback or socket. */
  readonly local: boolean;
}

// Without the slashes only schemes that are known to do without: `user:password@host` must not be taken for one.
const otherScheme = /^(?:(file|sqlite|prisma|prisma\+postgres|sqlserver|mysql):|([a-z][a-z0-9+.-]{0,30}):\/\/)/i;

/** How a variable that holds a URL is called, where it was found, and what the URL may leave out. */
export interface AddressOrigin {
  readonly name: string;
  /** For messages. */
  readonly source: string;
  /** Host and port of URLs without one: `PGHOST` and `PGPORT`, as drivers take them. */
  readonly defaults: { readonly host: string | undefined; readonly port: string | undefined };
}

const noHost = "replant-without-host";

/**
 * Reads a PostgreSQL URL far enough to know where it leads. No message holds any part of the URL but its scheme.
 * @throws ReplantError REPLANT_ENGINE_UNSUPPORTED for another engine's URL | REPLANT_URL_INVALID
 */
export function readAddress(url: string, origin: AddressOrigin): Address {
  const { name, source } = origin;
  const refuse = (why: string): ReplantError =>
    new ReplantError("REPLANT_URL_INVALID", `${name} holds no URL that Replant can read`, {
      where: source,
      why,
      state: "nothing was touched",
      hint: "write it as postgres://user:password@host:5432/database, special characters of the password percent-encoded",
    });
  if (!/^postgres(?:ql)?:\/\//i.test(url)) {
    const other = otherScheme.exec(url);
    const scheme = other?.[1] ?? other?.[2];
    throw scheme === undefined
      ? refuse("it does not begin with postgres:// or postgresql://")
      : unsupported(scheme, origin);
  }
  const parts = split(url, origin.defaults);
  if (parts === null) throw refuse("its parts cannot be told from each other");
  if (parts.database === "" || parts.database.includes("\0")) throw refuse("it names no database");
  return parts;
}

function unsupported(
  scheme: string,
  { name, source }: { readonly name: string; readonly source: string },
): ReplantError {
  return new ReplantError("REPLANT_ENGINE_UNSUPPORTED", `${name} is a URL of the scheme "${scheme.toLowerCase()}:"`, {
    where: source,
    why: "Replant drives PostgreSQL through a direct connection",
    state: "nothing was touched",
    hint: "give a postgres:// URL, or take the variable away to use the embedded database",
  });
}

function split(url: string, defaults: AddressOrigin["defaults"]): Address | null {
  try {
    // WHATWG parsers refuse a user without a host (`postgres://user@/name?host=/tmp`), drivers do not.
    const parsed = new URL(url.replace(/^([a-z]+:\/\/[^/?#]*@)(?=[/?#]|$)/i, `$1${noHost}`));
    const { searchParams, hostname, pathname } = parsed;
    const written = hostname === noHost ? "" : decodeURIComponent(hostname);
    // A host in the query is the one that counts, and of several the last: that is where the driver will go.
    const host = (searchParams.getAll("host").at(-1) || written || defaults.host || "localhost")
      .replace(/^\[(.*)\]$/, "$1")
      .toLowerCase();
    const port = searchParams.getAll("port").at(-1) || parsed.port || defaults.port || "5432";
    const socket = host.startsWith("/");
    return {
      location: (socket ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`).replaceAll(/[^\x20-\x7e]/g, "?"),
      host: socket ? "" : host,
      database: decodeURIComponent(pathname.slice(1)),
      local: socket || /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host),
    };
  } catch {
    // The reason may quote the URL.
    return null;
  }
}
