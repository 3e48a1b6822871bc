# Kontor: one command per wish. Each does its own set-up and says what is missing. `make` alone prints the list.
# rustup's tools come first: the toolchain is pinned in rust-toolchain.toml and Debian's own is too old.
export PATH := $(HOME)/.cargo/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-backup bench-browser bench-sizing bench-upgrade kills screens package package-twice

help:
	@echo 'make run     build interface and binary, then start a demonstration with sample data on https://127.0.0.1:8443'
	@echo 'make test    everything that must be green: format, lints, all tests on both engines and in the browser'
	@echo 'make check   the quick part of it: format, lints, dependency rules'
	@echo 'make screens the pictures of docs/screens anew, from a fresh demonstration'
	@echo 'make package the portable release as .deb, .rpm and archive, with what it is made of, below target/package'
	@echo 'make package-twice   built in two folders and compared; takes twice as long'
	@echo 'make bench   measured figures against the bare engines; takes long, writes docs/BENCHMARKS.md'
	@echo 'make bench-backup    figures of backups, shipping and restoring; eleven minutes once the folder is filled'
	@echo 'make bench-browser   the same for the web interface'
	@echo 'make bench-sizing    what 10, 50 and 200 people at work take of the machine'
	@echo 'make bench-upgrade   how long an upgrade of a million records takes, and its way back'
	@echo 'make kills   a server killed at 1,000 random points, and what was answered restored; takes half an hour'
	@echo
	@echo 'Where:   make run DIR=run/demo LISTEN=127.0.0.1:8443'
	@echo 'Guides:  README.md, docs/'

DIR ?= run/demo
LISTEN ?= 127.0.0.1:8443

run:
	@scripts/setup.sh run
	@scripts/ui.sh
	@cargo build --locked --profile quick --bin kontor
	@$${CARGO_TARGET_DIR:-target}/quick/kontor demo --dir $(DIR) --listen $(LISTEN)

test:
	@scripts/setup.sh test
	@scripts/test.sh

check:
	@scripts/setup.sh check
	@scripts/ui.sh
	@scripts/check.sh

bench:
	@scripts/setup.sh test
	@scripts/bench.sh

bench-backup:
	@scripts/setup.sh test
	@scripts/bench-backup.sh

kills:
	@scripts/setup.sh test
	@cargo build --locked --release --bin kontor
	@KONTOR_TEST_KILLS=1000 KONTOR_TEST_BINARY="$$(realpath "$${CARGO_TARGET_DIR:-target}")/release/kontor" \
	  cargo test --locked --test blackbox -- nothing_that_was_answered_is_lost --nocapture

bench-sizing:
	@scripts/setup.sh test
	@scripts/bench-sizing.sh

bench-upgrade:
	@scripts/setup.sh test
	@scripts/bench-upgrade.sh

bench-browser:
	@scripts/setup.sh test
	@scripts/bench-browser.sh

screens:
	@scripts/setup.sh test
	@scripts/screens.sh

package:
	@scripts/setup.sh package
	@scripts/ui.sh check
	@packaging/package.sh

package-twice:
	@scripts/setup.sh package
	@packaging/package.sh twice
