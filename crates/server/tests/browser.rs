//! The page of `fenqi demo` in Chromium: on a phone, by keyboard, and without JavaScript.
//!
//! Needs a ChromeDriver, named in `FENQI_CHROMEDRIVER`; `cargo xtask test` installs one and names it. Without it the
//! tests say so and pass.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]
#![expect(clippy::disallowed_macros, reason = "a test says why it was skipped")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};

/// A program that ends with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A page in a browser.
struct Window {
    client: Client,
    page: String,
    _programs: [Started; 2],
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The demo's page in a window of a phone's size; nothing where there is no ChromeDriver.
async fn window(with_scripts: bool) -> Option<Window> {
    let Ok(driver) = std::env::var("FENQI_CHROMEDRIVER") else {
        println!("skipped: FENQI_CHROMEDRIVER names no ChromeDriver");
        return None;
    };
    let (page, driver_port) = (free_port(), free_port());
    let mut demo = Command::new(env!("CARGO_BIN_EXE_fenqi"));
    demo.args(["demo", "--port", &page.to_string()])
        .stdout(Stdio::piped());
    let mut demo = Started(demo.spawn().unwrap());
    let said = BufReader::new(demo.0.stdout.take().unwrap());
    let address = said
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("look at ")?.split(' ').next()?.to_owned()))
        .unwrap();
    let mut chromedriver = Command::new(driver);
    chromedriver
        .arg(format!("--port={driver_port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let programs = [demo, Started(chromedriver.spawn().unwrap())];
    let client = connect(&format!("http://127.0.0.1:{driver_port}"), with_scripts).await;
    client.goto(&address).await.unwrap();
    Some(Window {
        client,
        page: address,
        _programs: programs,
    })
}

/// A session of the driver, as soon as it listens.
async fn connect(driver: &str, with_scripts: bool) -> Client {
    let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
    builder.capabilities(capabilities(with_scripts));
    for _ in 0..100 {
        match builder.connect(driver).await {
            Ok(client) => return client,
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    panic!("{driver} gives no session");
}

/// Chromium as it runs without a screen, as root, and without asking the world for anything.
fn capabilities(with_scripts: bool) -> Capabilities {
    let scripts = if with_scripts { 1 } else { 2 };
    let options = serde_json::json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
        ],
        "mobileEmulation": { "deviceMetrics": { "width": 360, "height": 780, "pixelRatio": 2.0 } },
        "prefs": { "profile.managed_default_content_settings.javascript": scripts },
    });
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities
}

impl Window {
    async fn number(&self, script: &str) -> i64 {
        let value = self
            .client
            .execute(&format!("return {script}"), Vec::new())
            .await
            .unwrap();
        value.as_i64().unwrap()
    }

    /// The element that has the focus.
    async fn focused(&self) -> Element {
        self.client.active_element().await.unwrap()
    }

    async fn press(&self, key: Key) {
        self.focused()
            .await
            .send_keys(&String::from(char::from(key)))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_page_fits_a_phone() {
    let Some(window) = window(true).await else { return };
    let width = window.number("window.innerWidth").await;
    assert_eq!(width, 360);
    let needed = window.number("document.documentElement.scrollWidth").await;
    assert!(
        needed <= width,
        "the page is {needed} wide on a screen of {width}"
    );
    let small = "[...document.querySelectorAll('p, pre, h1, h2')]\
        .filter(e => parseFloat(getComputedStyle(e).fontSize) < 14).length";
    assert_eq!(window.number(small).await, 0, "every text can be read");
    window.client.close().await.unwrap();
}

#[tokio::test]
async fn the_page_can_be_read_by_keyboard() {
    let Some(window) = window(true).await else { return };
    window.press(Key::Tab).await;
    let skip = window.focused().await;
    assert_eq!(skip.attr("href").await.unwrap().as_deref(), Some("#story"));
    let (x, _, _, _) = skip.rectangle().await.unwrap();
    assert!(x >= 0.0, "the link to the story is seen once it has the focus");
    window.press(Key::Enter).await;
    let at = window.client.current_url().await.unwrap();
    assert_eq!(at.as_str(), format!("{}#story", window.page));
    window.press(Key::Tab).await;
    let first = window.focused().await;
    assert_eq!(
        first.tag_name().await.unwrap(),
        "pre",
        "what was seen can be scrolled"
    );
    window.client.close().await.unwrap();
}

#[tokio::test]
async fn the_page_needs_no_scripts() {
    let Some(window) = window(false).await else { return };
    let heading = window.client.find(Locator::Css("h1")).await.unwrap();
    assert!(heading.text().await.unwrap().contains("Ann's story"));
    let books = window.client.find(Locator::Css("[role=status]")).await.unwrap();
    assert!(books.text().await.unwrap().contains("The books agree."));
    let seen = window.client.find_all(Locator::Css("pre.seen")).await.unwrap();
    assert!(seen.len() > 20, "{} answers are shown", seen.len());
    assert!(
        window
            .client
            .find_all(Locator::Css("script"))
            .await
            .unwrap()
            .is_empty()
    );
    window.client.close().await.unwrap();
}
