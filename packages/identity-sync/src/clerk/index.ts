export { readEvent } from "./normalize.ts";
export { clerkProvider } from "./provider.ts";
export type { ClerkOptions } from "./provider.ts";
export type { Wait } from "./request.ts";
