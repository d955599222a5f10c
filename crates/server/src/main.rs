//! The binary `fenqi`.
#![expect(clippy::disallowed_macros, reason = "trial")]
#[tokio::main]
async fn main() {
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        match fenqi_server::story::play(&file, &text, &fenqi_server::story::Place::Sqlite).await {
            Ok(played) => println!("{}\n=== troubles {:#?}", played.text, played.troubles),
            Err(e) => println!("{e}"),
        }
    }
}
