CREATE TABLE secrets (
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (organization_id, name)
);
