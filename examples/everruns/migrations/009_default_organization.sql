-- migration-gate: irreversible because agents hang on the organization by the time anybody would take it back
INSERT INTO organizations (name) VALUES ('default') ON CONFLICT (name) DO NOTHING;
