import { messageOf, ReplantError } from "@replant/core";
import { Client } from "pg";
import { checkDatabaseName } from "./names.ts";

/** Where a server is and how to log in to it. Credentials stay inside `client`, so that printing this shows none. */
export interface ServerAddress {
  /** Name of the database that the URL names. */
  readonly database: string;
  /** `localhost:5432`, or the path of the socket. */
  readonly location: string;
  /** True for a loopback address or a socket. */
  readonly local: boolean;
  /** A client that is not connected yet. */
  client(database: string, applicationName: string): Client;
}

const connectTimeoutMs = 10_000;
const keepAliveDelayMs = 10_000;

/** Parameters with which other tools tune their pools. They mean nothing to a single connection. */
const foreignParameters = [
  "schema",
  "pgbouncer",
  "connection_limit",
  "pool_timeout",
  "socket_timeout",
  "statement_cache_size",
];
const secretParameters = ["password", "sslpassword"];

/**
 * Reads a `postgres://` or `postgresql://` URL. TLS parameters mean what they mean to node-postgres, and what the URL leaves out
 * comes from the PG* variables or the password file, as it does there.
 * @throws ReplantError REPLANT_ENGINE_UNSUPPORTED | REPLANT_URL_INVALID | REPLANT_NAME_INVALID, never quoting the URL
 */
export function parseServerUrl(text: string): ServerAddress {
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw new ReplantError(
      "REPLANT_ENGINE_UNSUPPORTED",
      "the database URL does not begin with postgres:// or postgresql://",
      {
        hint: "Replant drives PostgreSQL servers, and PGlite embedded in the process",
      },
    );
  }
  const url = asUrl(text);
  const database = databaseOf(url);
  const options = url.searchParams.get("options") ?? undefined;
  for (const name of [...foreignParameters, "options"]) url.searchParams.delete(name);
  if (url.searchParams.get("sslaccept") === "accept_invalid_certs") url.searchParams.set("sslmode", "no-verify");
  const login = loginOf(url);
  const socket = login.host.startsWith("/");
  return {
    database,
    location: socket ? `${login.host}/.s.PGSQL.${login.port}` : `${login.host}:${login.port}`,
    local: socket || isLoopback(login.host),
    client: (name, applicationName) =>
      new Client({
        ...login,
        database: name,
        options,
        application_name: applicationName,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
        keepAliveInitialDelayMillis: keepAliveDelayMs,
      }),
  };
}

/** The URL with every password replaced by `***`; what is no URL loses everything before its `@`. */
export function redactUrl(text: string): string {
  try {
    const url = asUrl(text);
    const redacted = url.password === "" ? text : text.replace(/^([^:]+:\/\/[^:@/]*):.*@(?=[^@]*$)/s, "$1:***@");
    return secretParameters.reduce(
      (shown, name) => shown.replaceAll(new RegExp(`([?&]${name}=)[^&#]*`, "gi"), "$1***"),
      redacted,
    );
  } catch {
    return text.replace(/^([a-z+]+:\/\/)?.*@/is, "$1***@").replaceAll(/(password=)[^&#\s]*/gi, "$1***");
  }
}

const placeholderHost = "replant-without-host";

/** A URL may leave out the host (`postgres://user@/name?host=/tmp`), which WHATWG parsers refuse when there is a user. */
function asUrl(text: string): URL {
  try {
    return new URL(text.replace(/^([a-z]+:\/\/[^/?#]*@)(?=[/?#]|$)/i, `$1${placeholderHost}`));
  } catch {
    // The parser's own error quotes the URL with its password.
    throw new ReplantError("REPLANT_URL_INVALID", "the database URL cannot be read", {
      hint: "write it as postgresql://user:password@host:5432/name and percent-encode special characters of the password",
    });
  }
}

function databaseOf(url: URL): string {
  const path = url.pathname.replace(/^\//, "");
  if (path === "") {
    throw new ReplantError("REPLANT_URL_INVALID", "the database URL names no database", {
      hint: "add it behind the port: postgresql://host:5432/name",
    });
  }
  const name = decode(path);
  checkDatabaseName(name);
  return name;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ReplantError("REPLANT_URL_INVALID", "the database URL holds a % that encodes nothing", {
      hint: "write a literal percent sign as %25",
    });
  }
}

/** Lets node-postgres read the rest of the URL, so that it means here what it means to the application. */
function loginOf(url: URL): Pick<Client, "host" | "port" | "user" | "password" | "ssl"> {
  const login = new URL(url);
  // The name travels on its own: node-postgres would not decode all of it.
  login.pathname = "/-";
  const text = login.href.replace(`@${placeholderHost}`, "@");
  try {
    const { host, port, user, password, ssl } = new Client({ connectionString: text });
    return { host: host.replace(/^\[(.*)\]$/, "$1"), port, user, password, ssl };
  } catch (error) {
    throw new ReplantError(
      "REPLANT_URL_INVALID",
      "the parameters of the database URL cannot be used",
      // A certificate file that is missing, say; a parser's error may quote the URL with its password.
      error instanceof Error && "syscall" in error ? { why: messageOf(error) } : {},
    );
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
