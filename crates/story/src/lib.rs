//! fenqi-story
