import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { MemberEnv } from "../auth.ts";
import type { Database } from "../database.ts";
import { memberProblems, security } from "./shared.ts";

const promptSchema = z
  .object({
    serverKey: z.string(),
    name: z.string(),
    source: z.enum(["organization", "default"]),
    version: z.int().nullable().openapi({ description: "Of the organization's own prompt; null for a default." }),
    description: z.string().nullable(),
    template: z.string(),
    arguments: z.array(z.unknown()),
  })
  .openapi("Prompt");

const list = createRoute({
  method: "get",
  path: "/organizations/current/prompts",
  summary:
    "The prompts in effect: of every enabled service, the organization's newest active version, else the default.",
  security,
  responses: {
    200: {
      description: "By server and name.",
      content: { "application/json": { schema: z.object({ prompts: z.array(promptSchema) }) } },
    },
    ...memberProblems,
  },
});

const listSql = `
with server as (
  select m.id, m.server_key from organization_services s join mcp_servers m on m.id = s.mcp_server_id
   where s.organization_id = $1 and s.enabled and m.is_active
), own as (
  select distinct on (p.mcp_server_id, p.name) p.*
    from organization_prompts p where p.organization_id = $1 and p.is_active
   order by p.mcp_server_id, p.name, p.version desc
), effective as (
  select mcp_server_id, name, 'organization' as source, version, description, template, arguments from own
  union all
  select mcp_server_id, name, 'default', null, description, template, arguments from default_prompts d
   where not exists (select from own where own.mcp_server_id = d.mcp_server_id and own.name = d.name)
)
select s.server_key as "serverKey", e.name, e.source, e.version, e.description, e.template, e.arguments
  from server s join effective e on e.mcp_server_id = s.id
 order by s.server_key collate "C", e.name collate "C"`;

export function promptRoutes(app: OpenAPIHono<MemberEnv>, database: Database): void {
  app.openapi(list, async (context) => {
    const prompts = await database.query<z.infer<typeof promptSchema>>(listSql, [context.var.member.organizationId]);
    return context.json({ prompts }, 200);
  });
}
