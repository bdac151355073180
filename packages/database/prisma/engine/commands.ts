import { connect, onServer, placeOf } from "./connection.ts";
import { userError } from "./errors.ts";
import { log } from "./log.ts";

/**
 * The engine's `cli` commands, which the CLI runs before and beside the protocol.
 * @returns the exit code; an error is a log line with its code
 */
export async function runCommand(command: string, url: string): Promise<number> {
  // The CLI does not read the first line.
  log("INFO", { message: `Starting schema engine CLI: ${command}` });
  try {
    await commandOf(command)(url);
    return 0;
  } catch (error) {
    const { message, code } = userError(error);
    log("ERROR", { message, ...(code === undefined ? {} : { error_code: code }) });
    return 1;
  }
}

function commandOf(name: string): (url: string) => Promise<void> {
  switch (name) {
    case "can-connect-to-database":
      return async (url) => (await connect(url)).end();
    case "create-database":
      return (url) => changeDatabase(url, "CREATE");
    case "drop-database":
      return (url) => changeDatabase(url, "DROP");
    default:
      throw new Error(`unknown command "${name}"`);
  }
}

function changeDatabase(url: string, verb: "CREATE" | "DROP"): Promise<void> {
  return onServer(url, (client) => `${verb} DATABASE ${client.escapeIdentifier(placeOf(url).database)}`);
}
