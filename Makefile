# make run    set everything up and start a server with a demonstration organisation
# make test   set everything up and run every check and test
# The other targets are steps of these; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

HTTP ?= 127.0.0.1:8440
DATA ?= ./data
BIN := .venv/bin
PROCESSES ?= 3

# Debian packages that only the tests need: a browser with Chinese fonts, a terminal to type into, a JavaScript engine, certificates;
# the servers that a cluster is made of: a database, a bus, two balancers, a name server; what checks a service's unit; and servers and a client of XMPP.
TEST_PACKAGES := chromium tmux fonts-noto-cjk nodejs openssl postgresql nats-server nginx haproxy dnsmasq systemd prosody lua-unbound \
	ejabberd profanity poezio

.PHONY: help setup test-packages run test fuzz faults lint docs lock bench clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## make .venv with the locked dependencies and this project in it, and build the web client
	@scripts/setup

run: setup ## start a server; HTTP=127.0.0.1:8440 and DATA=./data say where
	@exec $(BIN)/hongyan serve --data '$(DATA)' --http '$(HTTP)' --demo

test: setup test-packages lint docs ## every check and every test
	PYTEST_DEBUG_TEMPROOT=$$(scripts/test-root) $(BIN)/python -m pytest -p tests.no_skips -n $(PROCESSES) --dist worksteal $(TESTS)

fuzz: setup ## bytes of strangers against the decoders, made-up requests against the API: some minutes
	FUZZ_SECONDS=120 SCHEMATHESIS_EXAMPLES=20 $(BIN)/python -m pytest -p no:cacheprovider tests/gateways/cim/test_fuzz.py tests/gateways/xmpp/test_fuzz.py \
		tests/gateways/web/test_schemathesis.py

faults: setup test-packages ## break everything of a cluster of three nodes, FAULT_ROUNDS times (10: an hour), and check what its people saw
	$(BIN)/python -m pytest -s -p no:cacheprovider tests/faults/every_fault.py

test-packages:
	@scripts/debian-packages $(TEST_PACKAGES) || [ -z "$(CI)" ]
	@scripts/test-modules || [ -z "$(CI)" ]

lint: setup ## ruff, mypy, import-linter, and the types of the web client
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	$(BIN)/lint-imports
	scripts/with-node npm --prefix web run --silent check

docs: setup ## build the documentation site into site/, failing on broken links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: ## write requirements/*.lock anew from requirements/*.in (UPGRADE=--upgrade takes newer releases)
	@scripts/lock $(UPGRADE)

bench: setup ## measure a server of its own and the ceilings beside it; BENCH='--quick' or names of cases
	$(BIN)/python bench/run.py $(BENCH)

clean: ## remove everything that can be made again (not the data directory)
	rm -rf .venv .venv-lock site dist web/node_modules tests/counterparts/node/node_modules src/hongyan/gateways/web/client .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
