//! The page of a story (故事页): every step with what was seen, readable on a phone, by keyboard and without JavaScript.

use std::io;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;

/// The page.
#[derive(Template)]
#[template(path = "story.html")]
pub struct StoryPage {
    chapters: Vec<Chapter>,
    products: usize,
    lenders: usize,
    books_agree: bool,
}

/// What was done under one heading of the story: its comment.
struct Chapter {
    heading: String,
    steps: Vec<Step>,
}

/// One line of the story and what was seen after it.
struct Step {
    said: String,
    seen: Vec<String>,
}

impl StoryPage {
    /// A page of a played scenario.
    pub fn of(played: &str, products: usize, lenders: usize, books_agree: bool) -> StoryPage {
        let mut chapters: Vec<Chapter> = Vec::new();
        for line in played.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if let Some(heading) = line.strip_prefix('#') {
                let heading = heading.trim().to_owned();
                match chapters.last_mut() {
                    // Comments that follow each other make one heading.
                    Some(chapter) if chapter.steps.is_empty() => {
                        chapter.heading.push(' ');
                        chapter.heading.push_str(&heading);
                    }
                    _ => chapters.push(Chapter {
                        heading,
                        steps: Vec::new(),
                    }),
                }
                continue;
            }
            if chapters.is_empty() {
                chapters.push(Chapter {
                    heading: String::new(),
                    steps: Vec::new(),
                });
            }
            let Some(chapter) = chapters.last_mut() else {
                continue;
            };
            match (line.trim_start().strip_prefix("->"), chapter.steps.last_mut()) {
                (Some(seen), Some(step)) => step.seen.push(seen.strip_prefix(' ').unwrap_or(seen).to_owned()),
                _ => chapter.steps.push(Step {
                    said: line.to_owned(),
                    seen: Vec::new(),
                }),
            }
        }
        StoryPage {
            chapters,
            products,
            lenders,
            books_agree,
        }
    }

    /// The page as HTML.
    ///
    /// Errors: if the template cannot be written, which would be a mistake in it.
    pub fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }
}

/// Takes a port on the loopback address.
///
/// Errors: if it is taken.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Serves the page until the process is stopped.
///
/// Errors: if the page cannot be written, or the listener fails.
pub async fn serve(page: StoryPage, listener: TcpListener) -> io::Result<()> {
    let html: Arc<str> = page.html().map_err(io::Error::other)?.into();
    let shown = get(move || {
        let html = html.clone();
        async move {
            (
                [(header::CONTENT_SECURITY_POLICY, POLICY)],
                Html(html.to_string()),
            )
                .into_response()
        }
    });
    let router = Router::new()
        .route("/", shown)
        .route("/healthz", get(|| async { "ok" }));
    axum::serve(listener, router).await
}

/// The page has no scripts and loads nothing from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_each_step_with_what_was_seen_and_escapes_it() {
        let page = StoryPage::of("# R42: offers\nann asks\n  -> 12 × 30.00 <b>\n", 67, 3, true);
        let html = page.html().unwrap();
        assert!(
            html.contains("<pre class=\"seen\" tabindex=\"0\">12 × 30.00"),
            "what was seen stands in its own block: {html}"
        );
        assert!(html.contains("R42: offers") && html.contains("ann asks"));
        assert!(
            html.contains("12 × 30.00") && !html.contains("<b>"),
            "what was seen is text and never markup"
        );
    }
}
