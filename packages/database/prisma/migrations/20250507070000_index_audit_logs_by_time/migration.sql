-- Alone in its file: CONCURRENTLY, which does not block writers, is refused inside a transaction.
CREATE INDEX CONCURRENTLY "audit_logs_organization_id_created_at_idx" ON "audit_logs"("organization_id", "created_at" DESC);
