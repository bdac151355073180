import { DriverAdapterError } from "@prisma/driver-adapter-utils";
import { DatabaseError } from "pg";

/** Where a connection goes, as far as an error message may say it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** An error in the words and with the code (P1001, …) that the Prisma CLI expects from its engine. */
export class EngineError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const authenticationStates = new Set(["28P01", "28000"]);

/** The error of opening a connection. The engine loses its code on the way, so the caller keeps this one. */
export function connectionError(error: unknown, place: Place): EngineError {
  const code = codeOf(error);
  if (code !== undefined && authenticationStates.has(code)) {
    return new EngineError(
      "P1000",
      `Authentication failed against database server, the provided database credentials for \`${place.user}\` are not valid.`,
      { cause: error },
    );
  }
  if (code === "3D000") {
    return new EngineError(
      "P1003",
      `Database \`${place.database}\` does not exist on the database server at \`${place.host}:${place.port}\`.`,
      { cause: error },
    );
  }
  if (error instanceof DatabaseError) return new EngineError("P1010", error.message, { cause: error });
  return new EngineError("P1001", `Can't reach database server at \`${place.host}:${place.port}\``, { cause: error });
}

/** A query's error in the form that the engine understands: it decides by SQLSTATE, for a missing table for example. */
export function queryError(error: unknown): unknown {
  return error instanceof DatabaseError ? adapterError(error, error.code ?? "", error.message) : error;
}

/**
 * A script's error. By its SQLSTATE the engine would replace the server's words with its own ("column not found"),
 * so it is told that it does not know the state.
 */
export function scriptError(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return adapterError(error, "XX000", `${error.message} (SQLSTATE ${error.code})`);
}

function adapterError(error: DatabaseError, code: string, message: string): DriverAdapterError {
  const { severity = "ERROR", detail, column, hint } = error;
  return new DriverAdapterError({ kind: "postgres", code, severity, message, detail, column, hint });
}

/** What the CLI shows of an error: its text, and Prisma's code where it has one. */
export function userError(error: unknown): { readonly message: string; readonly code: string | undefined } {
  return { message: error instanceof Error ? error.message : String(error), code: codeOf(error) };
}

function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
