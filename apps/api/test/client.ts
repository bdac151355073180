import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

interface Described {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { content?: object }>> }>>>
  >;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

interface Call {
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** Calls an operation of the description by method and path; what comes back must be what the description says. */
export type Client = (operation: string, call?: Call) => Promise<Answer>;

export async function clientOf(url: string): Promise<Client> {
  const description = (await (await fetch(`${url}/openapi.json`)).json()) as Described;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(description, "api");
  return async (operation, { params = {}, headers = {}, json } = {}) => {
    const [method = "", path = ""] = operation.split(" ");
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
    const response = await fetch(`${url}${filled}`, {
      method,
      headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(json === undefined ? {} : { body: typeof json === "string" ? json : JSON.stringify(json) }),
    });
    const body: unknown = await response.json();
    const answers = description.paths[path]?.[method.toLowerCase()]?.responses ?? {};
    expect(Object.keys(answers), operation).toContain(String(response.status));
    const type = response.headers.get("content-type") ?? "";
    expect(Object.keys(answers[response.status]?.content ?? {}), operation).toContain(type);
    const at = ["paths", path, method.toLowerCase(), "responses", response.status, "content", type, "schema"];
    const pointer = at.map((part) => encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1")));
    ajv.validate({ $ref: `api#/${pointer.join("/")}` }, body);
    expect(ajv.errors, operation).toBeNull();
    return { status: response.status, body, headers: response.headers };
  };
}
