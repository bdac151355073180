/*
 * A Clerk instance without a rate limit, in a process of its own: emulator.ts <users> <organizations> <memberships>. Says where it
 * is, and answers every message with the number of requests that it has had. Ends with its parent.
 */
import { startClerk } from "../../../../packages/testkit/src/clerk/index.ts";

const [users = 0, organizations = 0, memberships = 0] = process.argv.slice(2).map(Number);
const clerk = await startClerk({ rateLimit: null });
clerk.instance.fill({ users, organizations, memberships });
process.on("message", () => process.send?.(clerk.requests.length));
process.on("disconnect", () => void clerk.close());
process.send?.({ CLERK_API_URL: clerk.apiUrl, CLERK_SECRET_KEY: clerk.secretKey });
