/** Removes a connection URL, its password and the credentials of any other URL from a text that people will read. */
export function hiding(url: string): (text: string) => string {
  const secrets = [url, ...passwordForms(url)].filter((secret) => secret !== "");
  return (text) =>
    secrets
      .reduce((hidden, secret) => hidden.replaceAll(secret, "***"), text)
      .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, "$1***@");
}

/** As written in the URL, and as programs show it. */
function passwordForms(url: string): string[] {
  const parsed = URL.parse(url);
  if (parsed === null) return [];
  const inQuery = parsed.searchParams.get("password") ?? "";
  return [parsed.password, decoded(parsed.password), inQuery];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
