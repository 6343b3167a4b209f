//! Icons: strokes on a 24 by 24 grid, in the text's colour. Text always accompanies them.

use crate::app::usage_summary::Tone;
use leptos::prelude::*;

/// The icon's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Check,
    Warning,
    Over,
    Info,
    Usage,
    Invoice,
    Inbox,
    Settings,
    Again,
    Person,
    Download,
    External,
    Previous,
    Next,
    Search,
    System,
    Sun,
    Moon,
    Pause,
    Switch,
    SignOut,
    Trail,
    Customers,
    Eye,
}

impl Glyph {
    /// A tone's icon, so that colour is never the only sign.
    pub const fn of(tone: Tone) -> Glyph {
        match tone {
            Tone::Neutral => Glyph::Info,
            Tone::Good => Glyph::Check,
            Tone::Warning => Glyph::Warning,
            Tone::Danger => Glyph::Over,
        }
    }

    /// The strokes, as SVG path data.
    const fn path(self) -> &'static str {
        match self {
            Glyph::Check => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8 12.3l2.7 2.7L16 9.5",
            Glyph::Warning => "M12 4 2.8 20h18.4L12 4ZM12 10v4.5M12 17.2v.3",
            Glyph::Over => "M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2L8.2 3ZM12 7.5v5.5M12 16.2v.3",
            Glyph::Info => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 11v5M12 7.7V8",
            Glyph::Usage => "M4 20h16M6.5 20v-7M12 20V5M17.5 20V10",
            Glyph::Invoice => "M6 3h12v18l-3-2-3 2-3-2-3 2V3ZM9.5 8h5M9.5 12h5",
            Glyph::Inbox => "M4 13 6.5 5h11L20 13v6H4v-6ZM4 13h4.5l1.5 2.5h4l1.5-2.5H20",
            Glyph::Settings => "M4 7h9M18 7h2M4 17h3M12 17h8M15.5 4.5v5M9.5 14.5v5",
            Glyph::Again => "M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4.5V9h-4.5",
            Glyph::Person => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c1-3.6 4-5.5 7.5-5.5s6.5 1.9 7.5 5.5",
            Glyph::Download => "M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14",
            Glyph::External => "M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9",
            Glyph::Previous => "m14.5 6-6 6 6 6",
            Glyph::Next => "m9.5 6 6 6-6 6",
            Glyph::Search => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.3 15.3 20 20",
            Glyph::Switch => "M8 6h8a6 6 0 0 1 0 12H8A6 6 0 0 1 8 6ZM16 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z",
            Glyph::System => "M4 5h16v11H4V5ZM9 20h6",
            Glyph::Sun => {
                "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5V4M12 20v1.5M2.5 12H4M20 12h1.5M5.3 5.3l1 1M17.7 17.7l1 1M5.3 18.7l1-1M17.7 6.3l1-1"
            }
            Glyph::Moon => "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
            Glyph::Pause => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM9.8 9v6M14.2 9v6",
            Glyph::SignOut => "M14 4H5v16h9M10 12h10M16.5 8.5 20 12l-3.5 3.5",
            Glyph::Trail => "M7 4h12v16H7V4ZM4 8h3M4 12h3M4 16h3M10.5 9h5M10.5 13h5",
            Glyph::Customers => "M5 20V5h9v15M14 10h5v10M3 20h18M8 9h3M8 13h3M8 16.5h3",
            Glyph::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z"
            }
        }
    }
}

/// Renders a glyph at the height of the surrounding text.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
            <path d=glyph.path() fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"></path>
        </svg>
    }
}
