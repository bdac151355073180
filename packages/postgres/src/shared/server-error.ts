/** The server's words: message, detail and SQLSTATE in one line. Other errors give their message. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const detail =
    "detail" in error && typeof error.detail === "string" && error.detail !== "" ? ` (${error.detail})` : "";
  const code = "code" in error && typeof error.code === "string" ? ` [${error.code}]` : "";
  return `${error.message}${detail}${code}`;
}
