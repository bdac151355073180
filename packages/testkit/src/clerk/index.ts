export { type EmulatorClock, realClock, seededRandom, VirtualClock } from "./clock.ts";
export { Deliveries, type DeliveryFaults, type Endpoint, type Message, retryDelaysMs } from "./deliveries.ts";
export type { EmulatedEvent } from "./events.ts";
export { ClerkInstance } from "./instance.ts";
export { membershipJson, organizationJson, userJson } from "./json.ts";
export { ClerkProblem } from "./problem.ts";
export type { MembershipRecord, OrganizationRecord, UserRecord } from "./records.ts";
export { fillSample } from "./sample.ts";
export { type ClerkEmulator, startClerk } from "./server.ts";
