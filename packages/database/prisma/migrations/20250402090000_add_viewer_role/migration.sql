-- Alone in its file: a new value of an enum cannot be used before the transaction that adds it has committed.
ALTER TYPE "membership_role" ADD VALUE 'viewer';
