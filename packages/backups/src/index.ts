export * from "./id.ts";
export * from "./retention.ts";
