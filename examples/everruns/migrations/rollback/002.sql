DROP TABLE sessions;
DROP TYPE session_status;
