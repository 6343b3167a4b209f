# Everything is built outside the clone, so a fresh clone reuses earlier builds.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/apex-billing/target
# Queries are checked against .sqlx; a DATABASE_URL in .env is for running only.
export SQLX_OFFLINE = true

# cargo counts its own jobs; make's two are the server's and the browser's build.
cargo = env -u MAKEFLAGS -u MFLAGS cargo
clippy_server = clippy --workspace --all-targets -- -D warnings
clippy_browser = clippy --profile wasm-dev -p apex-islands --features hydrate -- -D warnings

.PHONY: help run stripe test setup build server site release screenshots audit fmt lint format-check lint-server lint-browser compile browser-side server-side unit e2e sqlx-data bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build and serve the console with demo data on http://127.0.0.1:3000; ARGS=--no-stripe without a stand-in for Stripe
	@exec "$$CARGO_TARGET_DIR/debug/apex-billing" serve --demo $(ARGS)

stripe: setup ## start a stand-in for Stripe on http://127.0.0.1:12111 and print the server's settings for it
	@$(cargo) run --quiet -- stripe-stand-in

test: ## run every check: format, lints, unit, integration and browser tests, with set-up
	@exec scripts/test.sh

setup: ## install what the build needs
	@scripts/setup.sh

build: setup ## build the server and the browser's files
	@$(MAKE) --no-print-directory -j2 server site

server:
	@echo "==> cargo build, for the server"
	@$(cargo) build

# The server's last crate takes longest and compiles on one core. `nice` leaves it its cores;
# the build for the browser takes the rest.
site:
	@nice scripts/build-site.sh

release: ## build the optimised program and site as one archive, test it in Chromium, print its size and start time
	@scripts/release.sh

screenshots: build ## take the screenshots in docs/screenshots from the demo
	@scripts/setup.sh --browser
	@exec scripts/screenshots.sh

audit: ## check licences and sources of dependencies, and vulnerabilities of npm packages
	@scripts/audit.sh

fmt: ## format the source
	cargo fmt

lint: setup ## check format and lints for both targets
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory -j2 lint-server lint-browser

format-check:
	@echo "==> cargo fmt --check"
	@$(cargo) fmt --check

lint-server:
	@echo "==> cargo $(clippy_server)"
	@$(cargo) $(clippy_server)

lint-browser:
	@echo "==> cargo $(clippy_browser), for the browser"
	@scripts/wasm-cargo.sh $(clippy_browser)

# For `make test`: compiles everything, the browser's side in parallel with the server's.
compile:
	@$(MAKE) --no-print-directory -j2 browser-side server-side

browser-side: lint-browser
	@scripts/build-site.sh

server-side:
	@scripts/sqlx-data.sh --check $(clippy_server)
	@$(MAKE) --no-print-directory server

unit: setup ## run unit and integration tests
	@scripts/test.sh unit

e2e: ## run browser tests
	@scripts/test.sh e2e

sqlx-data: setup ## update .sqlx after a change of queries or migrations
	@scripts/sqlx-data.sh

bench: setup ## measure webhooks, ingest, usage queries, reconciliation and pages, which have budgets; see scripts/bench.sh
	@exec scripts/bench.sh

clean: ## remove build output and stop the tests' database server
	@scripts/clean.sh
