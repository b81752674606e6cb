DROP VIEW agent_usage;
DROP TABLE session_usage;
