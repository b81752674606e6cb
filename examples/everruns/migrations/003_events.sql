CREATE TABLE events (
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, sequence)
);
