//! HTTP (网页与接口). For now one page that shows what a story did; the interface and the rooms come behind it.

pub mod story_page;
