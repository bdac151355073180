import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type MemberEnv, requireAdmin } from "../auth.ts";
import type { Database } from "../database.ts";
import { Problem, problems } from "../problem.ts";
import { memberProblems, security } from "./shared.ts";

const configurationSchema = z.record(z.string(), z.unknown());

const serviceSchema = z
  .object({ serverKey: z.string(), name: z.string(), enabled: z.boolean(), configuration: configurationSchema })
  .openapi("Service");

type Service = z.infer<typeof serviceSchema>;

const list = createRoute({
  method: "get",
  path: "/organizations/current/services",
  summary: "Every service, and whether the organization has it enabled.",
  security,
  responses: {
    200: {
      description: "By key.",
      content: { "application/json": { schema: z.object({ services: z.array(serviceSchema) }) } },
    },
    ...memberProblems,
  },
});

const put = createRoute({
  method: "put",
  path: "/organizations/current/services/{serverKey}",
  summary: "Enables or disables a service. Without a configuration the one that it has stays.",
  security,
  middleware: requireAdmin,
  request: {
    params: z.object({ serverKey: z.string() }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({ enabled: z.boolean(), configuration: configurationSchema.optional() }),
        },
      },
    },
  },
  responses: {
    200: { description: "As it is now.", content: { "application/json": { schema: serviceSchema } } },
    ...problems({ 400: "The body does not fit.", 404: "There is no such service." }),
    ...memberProblems,
  },
});

const listSql = `
select m.server_key as "serverKey", m.name, coalesce(s.enabled, false) as enabled,
  coalesce(s.configuration, '{}') as configuration
  from mcp_servers m left join organization_services s on s.mcp_server_id = m.id and s.organization_id = $1
 where m.is_active order by m.server_key collate "C"`;

const putSql = `
with server as (select id, server_key, name from mcp_servers where server_key = $2 and is_active), put as (
  insert into organization_services as s (organization_id, mcp_server_id, enabled, configuration)
  select $1, id, $3, coalesce($4::jsonb, '{}') from server
  on conflict (organization_id, mcp_server_id) do update
    set enabled = excluded.enabled, configuration = coalesce($4::jsonb, s.configuration)
  returning enabled, configuration
)
select server_key as "serverKey", name, enabled, configuration from server, put`;

export function serviceRoutes(app: OpenAPIHono<MemberEnv>, database: Database): void {
  app.openapi(list, async (context) => {
    const services = await database.query<Service>(listSql, [context.var.member.organizationId]);
    return context.json({ services }, 200);
  });

  app.openapi(put, async (context) => {
    const { serverKey } = context.req.valid("param");
    const { enabled, configuration } = context.req.valid("json");
    const text = configuration === undefined ? null : JSON.stringify(configuration);
    const [service] = await database.query<Service>(putSql, [
      context.var.member.organizationId,
      serverKey,
      enabled,
      text,
    ]);
    if (service === undefined) throw new Problem(404, "there is no such service");
    return context.json(service, 200);
  });
}
