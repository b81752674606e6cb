CREATE TABLE session_usage (
    session_id uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0
);

CREATE VIEW agent_usage AS
SELECT s.agent_id, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens
FROM session_usage u JOIN sessions s ON s.id = u.session_id
GROUP BY s.agent_id;
