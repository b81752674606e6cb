CREATE TYPE task_state AS ENUM ('pending', 'running', 'done', 'failed');

CREATE TABLE tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id uuid REFERENCES sessions ON DELETE CASCADE,
    state task_state NOT NULL DEFAULT 'pending',
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);
