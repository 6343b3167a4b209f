//! The product's mark and name.

use leptos::prelude::*;

/// The mark with the name beside it.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <span class="brand">
            <svg class="brand-mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
                <rect class="brand-ground" width="32" height="32" rx="8"></rect>
                <path
                    class="brand-peak"
                    d="M6.5 23 14.6 8.6a1.6 1.6 0 0 1 2.8 0L25.5 23M11.5 23l4.5-7.5 4.5 7.5"
                    fill="none"
                    stroke-width="2.6"
                    stroke-linecap="round"
                    stroke-linejoin="round"
                ></path>
            </svg>
            <span class="brand-name">"ApexMediation" <span class="brand-part">"Billing"</span></span>
        </span>
    }
}
