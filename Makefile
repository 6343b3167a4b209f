# Everything is built outside the clone, so that a fresh one finds what an earlier one has built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/apex-billing/target
# The checked queries are compiled against .sqlx; a DATABASE_URL in .env is for running, not for building.
export SQLX_OFFLINE = true

cargo_features = --features ssr
# cargo counts its own jobs: make's two are for the two sides of the program.
cargo = env -u MAKEFLAGS -u MFLAGS cargo
clippy_server = clippy --all-targets $(cargo_features) -- -D warnings
clippy_browser = clippy --profile wasm-dev --lib --no-default-features --features hydrate -- -D warnings

.PHONY: help run stripe test setup build server site release audit fmt lint format-check lint-server lint-browser compile browser-side server-side unit e2e sqlx-data bench clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build and serve the console with demo data on http://127.0.0.1:3000
	@exec "$$CARGO_TARGET_DIR/debug/apex-billing" serve --demo

stripe: setup ## a stand-in for Stripe on http://127.0.0.1:12111, and how to point the server at it
	@$(cargo) run --quiet $(cargo_features) -- stripe-stand-in

test: ## every check: format, lints, unit, integration and browser tests, each setting itself up
	@exec scripts/test.sh

setup: ## make ready what the build needs
	@scripts/setup.sh

build: setup ## build the server and what it hands to browsers
	@$(MAKE) --no-print-directory -j2 site server

server:
	@echo "==> cargo build, for the server"
	@$(cargo) build $(cargo_features)

site:
	@scripts/build-site.sh

release: ## the optimised program with its site as one archive, which Chromium has used; says how large it is and how quickly it starts
	@scripts/release.sh

audit: ## licences and sources of dependencies, known vulnerabilities of the npm packages
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

# For `make test`: all that compiles, the browser's side beside the server's.
compile:
	@$(MAKE) --no-print-directory -j2 browser-side server-side

browser-side: lint-browser
	@scripts/build-site.sh

server-side:
	@scripts/sqlx-data.sh --check $(clippy_server)
	@$(MAKE) --no-print-directory server

unit: setup ## unit and integration tests
	@scripts/test.sh unit

e2e: ## browser tests
	@scripts/test.sh e2e

sqlx-data: setup ## write .sqlx anew, after a change of queries or migrations
	@scripts/sqlx-data.sh

bench: setup ## webhooks, usage ingest, usage figures and reconciliation; see scripts/bench.sh
	@exec scripts/bench.sh

clean: ## remove what was built, and the tests' database server
	@scripts/clean.sh
