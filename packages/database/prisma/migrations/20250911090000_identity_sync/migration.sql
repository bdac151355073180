-- What the identity provider sends is kept as it came: the body that was signed, in the order of arrival.
ALTER TABLE "webhook_events"
    ADD COLUMN "number" BIGINT,
    ADD COLUMN "subject" TEXT,
    ADD COLUMN "occurred_at" TIMESTAMPTZ(6),
    ADD COLUMN "body" TEXT,
    ADD COLUMN "verified" BOOLEAN NOT NULL DEFAULT true;

UPDATE "webhook_events" "e" SET "number" = "o"."number", "body" = "e"."payload"::text
  FROM (SELECT "id", row_number() OVER (ORDER BY "created_at", "event_id") AS "number" FROM "webhook_events") "o"
 WHERE "o"."id" = "e"."id";

CREATE SEQUENCE "webhook_events_number_seq" OWNED BY "webhook_events"."number";
SELECT setval('"webhook_events_number_seq"', coalesce(max("number"), 0) + 1, false) FROM "webhook_events";

-- Until now messages came through the endpoint alone, which checks signatures; new ones say how they came.
ALTER TABLE "webhook_events"
    ALTER COLUMN "number" SET DEFAULT nextval('webhook_events_number_seq'),
    ALTER COLUMN "number" SET NOT NULL,
    ALTER COLUMN "body" SET NOT NULL,
    ALTER COLUMN "verified" DROP DEFAULT,
    DROP COLUMN "payload";

DROP INDEX "webhook_events_status_created_at_idx";
ALTER TABLE "webhook_events" ALTER COLUMN "status" DROP DEFAULT;
ALTER TABLE "webhook_events" ALTER COLUMN "status" TYPE TEXT USING
    CASE "status" WHEN 'received' THEN 'pending' WHEN 'processed' THEN 'applied' WHEN 'failed' THEN 'dead' END;
ALTER TABLE "webhook_events" ALTER COLUMN "status" SET DEFAULT 'pending';
DROP TYPE "webhook_status";

-- A message does not change; when it was processed has a column of its own.
DROP TRIGGER "set_updated_at" ON "webhook_events";
ALTER TABLE "webhook_events" DROP COLUMN "updated_at";

CREATE UNIQUE INDEX "webhook_events_number_key" ON "webhook_events"("number");
CREATE INDEX "webhook_events_status_number_idx" ON "webhook_events"("status", "number");

CREATE TABLE "identity_objects" (
    "kind" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "provider_updated_at" TIMESTAMPTZ(6),
    "gone" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "identity_objects_pkey" PRIMARY KEY ("kind", "id")
);

CREATE TABLE "identity_parked" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "provider_updated_at" TIMESTAMPTZ(6) NOT NULL,
    "object" JSONB NOT NULL,
    CONSTRAINT "identity_parked_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "identity_parked_user_id_idx" ON "identity_parked"("user_id");
CREATE INDEX "identity_parked_organization_id_idx" ON "identity_parked"("organization_id");

CREATE TABLE "identity_seen" (
    "kind" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    CONSTRAINT "identity_seen_pkey" PRIMARY KEY ("kind", "id")
);

CREATE TABLE "identity_state" (
    "id" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    CONSTRAINT "identity_state_pkey" PRIMARY KEY ("id")
);
