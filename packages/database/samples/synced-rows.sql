-- What a team has after a week of work with Clerk connected: 3 organizations, 8 users, 17 memberships, 5 service enablements,
-- 3 custom prompts and 3 custom resources. 39 rows that a reset must keep, and one soft-deleted user that it must not.
-- Needs the seeded mcp_servers. Timestamps have microseconds and metadata is nested, so that a careless copy shows.

insert into organizations (id, clerk_id, name, slug, metadata, created_at, updated_at)
select ('0a000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'org_' || n, 'Organization ' || n, 'organization-' || n,
  jsonb_build_object('plan', (array['free', 'team', 'enterprise'])[n], 'limits', jsonb_build_object('seats', n * 1.50, 'tags', jsonb_build_array('a"b', null, n))),
  timestamptz '2026-03-01 08:00:00.123456+00' + n * interval '1 day 1 microsecond', timestamptz '2026-04-01 09:30:00.654321+00' + n * interval '1 hour'
from generate_series(1, 3) n;

insert into users (id, clerk_id, email, first_name, last_name, metadata, created_at, updated_at, deleted_at)
select ('0b000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user_' || n, 'person' || n || '@example.com', 'First' || n, 'Last ' || n,
  jsonb_build_object('locale', 'en', 'onboarding', jsonb_build_object('step', n, 'at', 1e3 + n)),
  timestamptz '2026-03-02 10:00:00.000001+00' + n * interval '1 minute', timestamptz '2026-05-01 00:00:00.999999+00',
  case when n = 9 then timestamptz '2026-06-01 12:00:00.5+00' end
from generate_series(1, 9) n;

insert into organization_memberships (id, organization_id, user_id, clerk_membership_id, role, permissions, created_at)
select ('0c000000-0000-4000-8000-' || lpad(row_number() over (order by o, u)::text, 12, '0'))::uuid,
  ('0a000000-0000-4000-8000-' || lpad(o::text, 12, '0'))::uuid, ('0b000000-0000-4000-8000-' || lpad(u::text, 12, '0'))::uuid,
  'orgmem_' || o || '_' || u, (array['admin', 'member', 'viewer'])[1 + (o + u) % 3]::membership_role, jsonb_build_array('read', o, u),
  timestamptz '2026-03-03 11:11:11.111111+00' + (o * 10 + u) * interval '1 second'
from generate_series(1, 3) o, generate_series(1, 8) u
where (o = 1) or (o = 2 and u <= 5) or (o = 3 and u between 3 and 6);

insert into organization_services (id, organization_id, mcp_server_id, enabled, configuration, created_at)
select ('0d000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('0a000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid, s.id, n <> 4,
  jsonb_build_object('server', s.server_key, 'nested', jsonb_build_object('n', n)), timestamptz '2026-03-04 12:00:00.987654+00' + n * interval '1 minute'
from (select id, server_key, row_number() over (order by server_key) as n from mcp_servers) s where s.n <= 5;

insert into organization_prompts (id, organization_id, mcp_server_id, name, version, template, arguments, created_by, created_at)
select ('0e000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('0a000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  s.id, 'custom-prompt-' || n, n, E'Summarise {{ text }}\n\tin "' || n || E'" lines \\ no more', jsonb_build_array(jsonb_build_object('name', 'text')),
  ('0b000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, timestamptz '2026-03-05 13:00:00.000042+00'
from (select id, row_number() over (order by server_key) as n from mcp_servers) s where s.n <= 3;

insert into organization_resources (id, organization_id, mcp_server_id, uri, name, metadata, created_by, created_at)
select ('0f000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, ('0a000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  s.id, 'file:///custom/' || n, 'Custom resource ' || n, jsonb_build_object('bytes', 10 ^ n, 'server', s.server_key),
  ('0b000000-0000-4000-8000-' || lpad((9 - n)::text, 12, '0'))::uuid, timestamptz '2026-03-06 14:00:00.314159+00'
from (select id, server_key, row_number() over (order by server_key desc) as n from mcp_servers) s where s.n <= 3;
