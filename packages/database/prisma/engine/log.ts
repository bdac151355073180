/** One log line as the engine binary writes it to stderr, where the CLI reads it. */
export function log(level: "INFO" | "ERROR", fields: { readonly message: string; readonly error_code?: string }): void {
  process.stderr.write(
    `${JSON.stringify({ timestamp: new Date().toISOString(), level, fields, target: "schema_engine::logger" })}\n`,
  );
}
