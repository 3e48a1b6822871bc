//! The database behind the program's back, as somebody with a shell on the server would reach it: for tests that tamper,
//! compare schemas or look for plaintext. Uses the engines' own command lines.

use crate::TestAppliance;
use std::process::Command;
use store::EngineConfig;

impl TestAppliance {
    /// Runs SQL with the engine's own tool and returns its lines, columns separated by `|`.
    pub fn sql(&self, text: &str) -> Vec<String> {
        let output = self.tool(text).output().expect("the engine's command line runs");
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// The first number of an answer.
    pub fn sql_number(&self, text: &str) -> i64 {
        self.sql(text).first().and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("{text} gave no number"))
    }

    /// A binary literal of this engine.
    pub fn sql_bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match &self.store.config().engine {
            EngineConfig::Sqlite { .. } => format!("x'{hex}'"),
            EngineConfig::Postgres { .. } => format!("'\\x{hex}'::bytea"),
        }
    }

    /// The names of all tables, sorted; shadow tables of the full-text index left out.
    pub fn tables(&self) -> Vec<String> {
        let mut tables = match &self.store.config().engine {
            EngineConfig::Sqlite { .. } => self.sql(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 's\\_%' ESCAPE '\\'",
            ),
            EngineConfig::Postgres { .. } => {
                self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
            }
        };
        tables.sort();
        tables
    }

    /// Every byte the database keeps: the files of the embedded engine, or every value of every table of the server.
    pub fn database_bytes(&self) -> Vec<u8> {
        match &self.store.config().engine {
            EngineConfig::Sqlite { file } => ["", "-wal", "-shm"]
                .iter()
                .filter_map(|suffix| std::fs::read(format!("{}{suffix}", file.display())).ok())
                .flatten()
                .collect(),
            EngineConfig::Postgres { .. } => {
                let each = |table: &String| self.sql(&format!("SELECT * FROM \"{table}\"")).join("\n");
                self.tables().iter().map(each).collect::<Vec<_>>().join("\n").into_bytes()
            }
        }
    }

    fn tool(&self, text: &str) -> Command {
        match &self.store.config().engine {
            EngineConfig::Sqlite { file } => {
                let mut command = Command::new("sqlite3");
                command.args(["-batch", "-noheader", "-cmd", ".timeout 30000"]).arg(file).arg(text);
                command
            }
            EngineConfig::Postgres { url, ca_file } => {
                let mut command = Command::new("psql");
                command.args([url.0.as_str(), "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", text]);
                command.envs(ca_file.as_ref().map(|file| ("PGSSLROOTCERT", file)));
                command
            }
        }
    }
}
