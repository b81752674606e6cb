//! Where sessions, their events and their tasks are kept. The admin image migrates, not the server at its start.

/// The migrations that this release was built with: the server refuses to start on a database that lacks one.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");
