import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaultOwnTables, referenceMapping } from "../../src/index.ts";
import { readTables } from "../../src/postgres/catalog.ts";
import { prismaModels, schemaSql } from "../../src/postgres/index.ts";
import { referenceScripts, serverPlaces } from "./places.ts";

test("the statements that create the own tables", () => {
  expect(schemaSql(defaultOwnTables)).toMatchInlineSnapshot(`
    "CREATE TABLE "public"."identity_inbox" (
        "id" UUID NOT NULL DEFAULT gen_random_uuid(),
        "number" BIGSERIAL NOT NULL,
        "event_id" TEXT NOT NULL,
        "event_type" TEXT NOT NULL,
        "subject" TEXT,
        "occurred_at" TIMESTAMPTZ(6),
        "body" TEXT NOT NULL,
        "verified" BOOLEAN NOT NULL,
        "status" TEXT NOT NULL DEFAULT 'pending',
        "attempts" INTEGER NOT NULL DEFAULT 0,
        "error" TEXT,
        "processed_at" TIMESTAMPTZ(6),
        "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
        CONSTRAINT "identity_inbox_pkey" PRIMARY KEY ("id")
    );
    CREATE UNIQUE INDEX "identity_inbox_number_key" ON "public"."identity_inbox" ("number");
    CREATE UNIQUE INDEX "identity_inbox_event_id_key" ON "public"."identity_inbox" ("event_id");
    CREATE INDEX "identity_inbox_status_number_idx" ON "public"."identity_inbox" ("status", "number");

    CREATE TABLE "public"."identity_objects" (
        "kind" TEXT NOT NULL,
        "id" TEXT NOT NULL,
        "provider_updated_at" TIMESTAMPTZ(6),
        "gone" BOOLEAN NOT NULL DEFAULT false,
        CONSTRAINT "identity_objects_pkey" PRIMARY KEY ("kind", "id")
    );

    CREATE TABLE "public"."identity_parked" (
        "id" TEXT NOT NULL,
        "user_id" TEXT NOT NULL,
        "organization_id" TEXT NOT NULL,
        "provider_updated_at" TIMESTAMPTZ(6) NOT NULL,
        "object" JSONB NOT NULL,
        CONSTRAINT "identity_parked_pkey" PRIMARY KEY ("id")
    );
    CREATE INDEX "identity_parked_user_id_idx" ON "public"."identity_parked" ("user_id");
    CREATE INDEX "identity_parked_organization_id_idx" ON "public"."identity_parked" ("organization_id");

    CREATE TABLE "public"."identity_seen" (
        "kind" TEXT NOT NULL,
        "id" TEXT NOT NULL,
        CONSTRAINT "identity_seen_pkey" PRIMARY KEY ("kind", "id")
    );

    CREATE TABLE "public"."identity_state" (
        "id" TEXT NOT NULL,
        "value" JSONB NOT NULL,
        CONSTRAINT "identity_state_pkey" PRIMARY KEY ("id")
    );
    "
  `);
});

test("the Prisma models of the own tables", () => {
  expect(prismaModels(defaultOwnTables)).toMatchInlineSnapshot(`
    "/// What the identity provider sent; \`eventId\` is the \`svix-id\` header, so a repeated delivery is recognised.
    model IdentityInbox {
      id          String    @id @default(dbgenerated("gen_random_uuid()")) @db.Uuid
      number      BigInt    @unique @default(autoincrement())
      eventId     String    @unique @map("event_id")
      eventType   String    @map("event_type")
      subject     String?
      occurredAt  DateTime? @map("occurred_at") @db.Timestamptz(6)
      body        String
      verified    Boolean
      status      String    @default("pending")
      attempts    Int       @default(0)
      error       String?
      processedAt DateTime? @map("processed_at") @db.Timestamptz(6)
      createdAt   DateTime  @default(now()) @map("created_at") @db.Timestamptz(6)

      @@index([status, number])
      @@map("identity_inbox")
    }

    /// By object of the identity provider: the age of the state that was written last, and whether it is gone for good.
    model IdentityObject {
      kind              String
      id                String
      providerUpdatedAt DateTime? @map("provider_updated_at") @db.Timestamptz(6)
      gone              Boolean   @default(false)

      @@id([kind, id])
      @@map("identity_objects")
    }

    /// Memberships that wait for their user or their organization.
    model IdentityParked {
      id                String   @id
      userId            String   @map("user_id")
      organizationId    String   @map("organization_id")
      providerUpdatedAt DateTime @map("provider_updated_at") @db.Timestamptz(6)
      object            Json

      @@index([userId])
      @@index([organizationId])
      @@map("identity_parked")
    }

    /// What an unfinished listing of the identity provider has had.
    model IdentitySeen {
      kind String
      id   String

      @@id([kind, id])
      @@map("identity_seen")
    }

    /// Which instance of the identity provider this database belongs to, and how far listings have come.
    model IdentityState {
      id    String @id
      value Json

      @@map("identity_state")
    }
    "
  `);
});

test("models of tables in another schema say so, and names beyond the server's limit are cut", () => {
  const own = { ...defaultOwnTables, parked: { schema: "id", name: "p".repeat(60) } };
  expect(prismaModels(own).match(/@@schema\("\w+"\)/g)).toEqual([
    ...Array.from({ length: 2 }, () => '@@schema("public")'),
    '@@schema("id")',
    ...Array.from({ length: 2 }, () => '@@schema("public")'),
  ]);
  const names = [...schemaSql(own).matchAll(/"(p{20,}[^"]*)"/g)].map(([, name]) => name);
  expect(names).toContain(`${"p".repeat(58)}_pkey`);
  expect(names).toContain(`${"p".repeat(59)}_idx`);
});

test("the reference schema has the Prisma models as they are printed", () => {
  const schema = readFileSync(new URL("../../../database/prisma/schema.prisma", import.meta.url), "utf8");
  expect(schema).toContain(prismaModels(referenceMapping.own));
});

describe("on PostgreSQL 18", () => {
  const open = serverPlaces(18);

  test("the reference migrations end in the tables that the statements create", async () => {
    const tables = Object.values(referenceMapping.own);
    const read = async (scripts: readonly string[]): Promise<unknown> => {
      const { session } = await open(scripts);
      return (await readTables(session, tables)).map((table) => ({
        columns: table?.columns.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        keys: table?.keys.map(({ columns }) => columns).sort((a, b) => (String(a) < String(b) ? -1 : 1)),
      }));
    };
    const created = await read([schemaSql(referenceMapping.own)]);
    expect(await read(referenceScripts)).toEqual(created);
    expect(created).toHaveLength(5);
  });
});
