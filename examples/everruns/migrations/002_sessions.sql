CREATE TYPE session_status AS ENUM ('started', 'active', 'idle');

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    agent_id uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    status session_status NOT NULL DEFAULT 'started',
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX sessions_agent ON sessions (agent_id, updated_at DESC);
