-- Whoever writes, updated_at is right. A statement that sets it itself, or changes nothing, is left alone.
CREATE FUNCTION "set_updated_at"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."updated_at" = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$;

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "organizations" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "users" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "organization_memberships" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "mcp_servers" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "default_prompts" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "default_resources" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "organization_services" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "organization_prompts" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "organization_resources" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "audit_logs" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "api_keys" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "sessions" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "webhook_events" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();

CREATE TRIGGER "set_updated_at" BEFORE UPDATE ON "system_settings" FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD."updated_at" = NEW."updated_at") EXECUTE FUNCTION "set_updated_at"();
