/** Takes secrets out of text, at the last moment before it is written. */
export interface Redactor {
  /** From now on this password never appears. Ones that are words of the connection anyway hide nothing and are left. */
  addUrl(url: string): void;
  clean(text: string): string;
}

const hidden = "***";

const patterns: readonly (readonly [RegExp, string])[] = [
  // Up to the last @ of the word: a password may hold one. A port is none.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"'`]*):(?!\d{1,5}[/?#])[^\s"'`]*@/gi, `$1:${hidden}@`],
  [/([?&\s'"](?:ssl)?password=)[^&\s"']+/gi, `$1${hidden}`],
  [/\b(sk_live_|sk_test_|whsec_)[A-Za-z0-9+/=_-]+/g, `$1${hidden}`],
];

/** A redactor that knows the general shapes of secrets, and every password that it was told. */
export function createRedactor(): Redactor {
  const secrets = new Set<string>();
  return {
    addUrl: (url) => {
      for (const secret of passwordForms(url)) secrets.add(secret);
    },
    clean: (text) => {
      let cleaned = text;
      for (const [pattern, replacement] of patterns) cleaned = cleaned.replaceAll(pattern, replacement);
      for (const secret of secrets) cleaned = cleaned.replaceAll(secret, hidden);
      return cleaned;
    },
  };
}

/** The password as it was written, decoded, and as it would stand in JSON. */
function passwordForms(url: string): string[] {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null) return [];
  const written = [parsed.password, parsed.searchParams.get("password") ?? ""].filter((text) => text !== "");
  const forms = written.flatMap((text) => {
    const decoded = decode(text);
    return [text, decoded, encodeURIComponent(decoded), JSON.stringify(decoded).slice(1, -1)];
  });
  const plain = new Set(["postgres", decode(parsed.username), parsed.hostname, decode(parsed.pathname.slice(1))]);
  return [...new Set(forms)].filter((form) => !plain.has(form)).sort((a, b) => b.length - a.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
