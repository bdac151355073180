import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/client.ts";

export type * from "./generated/client.ts";
export { MembershipRole } from "./generated/enums.ts";

/**
 * A typed client of the database at `url`. It connects with the first query; the caller ends it with `$disconnect()`.
 * Timestamps are JavaScript dates, so milliseconds: what must keep microseconds is read with `$queryRaw` as text.
 */
export function createClient(url: string): PrismaClient {
  // The adapter drops the offset of a timestamp, so the session has to be in UTC whatever the server's setting is.
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, options: "-c TimeZone=UTC" }) });
}
