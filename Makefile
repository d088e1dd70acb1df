# What people type. ARGS goes to the program: make run ARGS="--devices 2000 --bind 127.0.0.1:9000"

.PHONY: help run test lint bench backtest page

help:
	@echo "make run    build and start the demo fleet on embedded SQLite (ARGS=... for tillkeep demo)"
	@echo "make test   every test, on SQLite and on a private PostgreSQL"
	@echo "make lint   formatting and clippy"
	@echo "make bench  what planning costs, as ratios (builds for release)"
	@echo "make backtest  forecasts of files of daily usage against what happened (DATA=\"a.csv b.csv.gz\")"
	@echo "make page   bundle the query page again (needs npm)"

run:
	cargo run -- demo $(ARGS)

test:
	scripts/test

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

bench:
	cargo bench --bench rules $(ARGS)

# Files of daily usage: series, date, value, missing. Real ones are not part of this repository; where
# none are named, those of a folder beside it are taken.
DATA ?= $(wildcard ../shared/data/usage/*.csv.gz)

backtest:
	@if [ -z "$(strip $(DATA))" ]; then \
		echo "no files of daily usage here: name some, make backtest DATA=\"a.csv b.csv.gz\""; \
	else \
		cargo run --release -- backtest $(DATA) $(ARGS); \
	fi

# The touch makes the next cargo build look at web/ again and take this bundle.
page:
	touch web/build.mjs
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run build
