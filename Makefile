# Needs Go and make. `make` lists the targets.

GO      ?= go
GOFMT   := $(shell $(GO) env GOROOT)/bin/gofmt
MODULES := $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/.*/*' -not -path '*/node_modules/*'))

# ST1005 forbids errors that begin with a capital; ours begin with the field they name.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2 -checks inherit,-ST1005

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(if $(shell command -v $$($(GO) env CC)),-race)

# What git calls this tree, where there is git; "stormwheel version" shows it.
REVISION = $(shell git describe --always --dirty 2>/dev/null)

FUZZTIME ?= 60s
FUZZ ?= .

# each,COMMAND runs a command in every Go module of the repository.
each = @set -e; for m in $(MODULES); do echo "[$$m] $(1)"; (cd $$m && $(1)); done

.PHONY: help heartbeats build demo demo-cluster million test test-js lint vet fmt staticcheck cross unit bench bench-full bench-report bench-large bench-check bench-go bench-wheel bench-generator bench-promises bench-overload bench-goodput bench-posts bench-fanout bench-messages bench-cluster bench-websocket bench-tls storm-lab fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 17

build: ## bin/stormwheel, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.revision=$(REVISION)" -o bin/stormwheel ./cmd/stormwheel

demo: build ## the main job on this machine in three acts: evictions, a kill, users who talk meanwhile; under 90 s
	@mkdir -p out; rm -f out/demo.json out/talk.json
	@act() { echo "bin/stormwheel bench $$*"; bin/stormwheel bench "$$@"; }; \
	says() { case $$1 in 0) echo pass;; 99) echo "failed: a promise was broken";; \
		4) echo "invalid: this machine was too busy to tell, so that it proves nothing; run it again when it has less to do";; \
		*) echo "no verdict, exit code $$1";; esac; }; \
	two=0; three=0; \
	act demo --json out/demo.json || two=$$?; test $$two -ne 130 || exit 130; \
	act talk --spawn 2 --cluster --kill-after 4s --fraction 0.1 --json out/talk.json || three=$$?; test $$three -ne 130 || exit 130; \
	echo; echo "acts one and two: $$(says $$two)"; echo "act three: $$(says $$three)"; \
	test $$two -eq 0 || exit $$two; exit $$three

# How many users the cluster's demo has.
USERS ?= 6000

demo-cluster: build ## three nodes that know each other, 6,000 users: a kill, a split, a rolling restart, one ledger; under two minutes; USERS=600: fewer
	@USERS=$(USERS) sh bench/lab/democluster/demo.sh

million: build ## a million heartbeating connections, both ends on this machine, in some nine minutes; 14 GiB
	@mkdir -p out
	sh bench/lab/million/million.sh

# The packages that have Go benchmarks.
BENCHED = $$(grep -rl --include='*_test.go' --exclude-dir=lab '^func Benchmark' . | xargs -n 1 dirname | sort -u)

test: lint cross unit ## lint, cross builds, tests and benchmarks once
	$(GO) test $(RACE) -run '^$$' -bench . -benchtime 1x $(BENCHED)
	@$(MAKE) --no-print-directory test-js

test-js: build ## clients/js in Node and Chromium, against real nodes; skipped, with the reason, without node and npm
	@sh clients/js/scripts/test.sh

lint: vet fmt staticcheck ## vet, format check, staticcheck

vet:
	$(call each,$(GO) vet ./...)

fmt:
	@files=$$($(GOFMT) -l .); if [ -n "$$files" ]; then echo "not formatted:"; echo "$$files"; exit 1; fi

staticcheck:
	$(call each,$(GO) run $(STATICCHECK) ./...)

# Without the NATS server within, which is not ours to build for others.
cross:
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -tags nonats ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -tags nonats ./...

# The packages that take minutes begin first, all three at once: they wait most of the time, and would be the last alone.
# Beside them there is a place for the others.
SLOW = $$(ls -dU bench cmd/stormwheel server 2>/dev/null | sed 's|^|./|')

unit:
	$(if $(RACE),,@echo "no C compiler: the tests run without -race")
	$(call each,$(GO) test $(RACE) -shuffle=on -p 4 -timeout 12m $(SLOW) ./...)

BENCHTIME ?= 1s

bench-go: ## Go benchmarks; BENCHTIME=1s each
	$(call each,$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./...)

# What a section says that it was made by, whatever called the laboratory.
COMMAND = make $@
lab     = $(GO) -C bench/lab run . run $(1) --command "$(COMMAND)"

bench: ## the peers and the wheel in BENCHMARKS.md from a shorter run, about twelve minutes
	$(call lab,peers wheel --effort short)

bench-full: ## all of BENCHMARKS.md and its pictures, about an hour
	$(call lab,peers)
	@$(MAKE) --no-print-directory bench-wheel
	@$(MAKE) --no-print-directory bench-promises
	@$(MAKE) --no-print-directory bench-overload
	@$(MAKE) --no-print-directory bench-goodput
	@$(MAKE) --no-print-directory bench-posts
	@$(MAKE) --no-print-directory bench-fanout
	@$(MAKE) --no-print-directory bench-messages
	@$(MAKE) --no-print-directory bench-cluster
	@$(MAKE) --no-print-directory bench-websocket
	@$(MAKE) --no-print-directory bench-tls
	@$(MAKE) --no-print-directory bench-generator
	@$(MAKE) --no-print-directory storm-lab

bench-report: ## the section of the peers again, from out/peers.json
	$(GO) -C bench/lab run . write peers

bench-large: ## on a machine with eight processors or more: event loops, a million connections in one process; their section
	$(call lab,large)

bench-goodput: ## servers to which more clients come than they can take, and what a refusal costs, about eleven minutes: their section of BENCHMARKS.md
	$(call lab,goodput)

bench-wheel: ## the wheel beside its rivals, about ten minutes: its section of BENCHMARKS.md
	$(call lab,wheel)

bench-posts: ## messages from other goroutines, beside bare writes, about three minutes: their section of BENCHMARKS.md
	$(call lab,posts)

bench-fanout: ## messages to many, beside bare writes and hubs over WebSocket, about eight minutes: their section of BENCHMARKS.md
	$(call lab,fanout)

bench-messages: ## messages between users, stored, online and in a room, beside centrifuge, about five minutes: their section of BENCHMARKS.md
	$(call lab,messages)

bench-cluster: build ## nodes that know each other, about seven minutes: their section of BENCHMARKS.md
	$(call lab,cluster)

bench-websocket: build ## WebSocket beside plain TCP and other libraries, and a storm of it, about nine minutes: its section of BENCHMARKS.md
	$(call lab,websocket)

bench-tls: build ## TLS beside plain TCP, crypto/tls and nbio, about eight minutes: its section of BENCHMARKS.md
	$(call lab,tls)

bench-generator: ## the load generator itself, about six minutes: its section of BENCHMARKS.md
	$(call lab,generator)

bench-promises: build ## what a node promises under attack and fault, about ten minutes: its section of BENCHMARKS.md
	$(call lab,promises)

bench-overload: build ## storms above what nodes can take, and with nobody left, about eight minutes (STORMWHEEL_SLOW=1: 20, with a blackout of ten): their section of BENCHMARKS.md
	$(call lab,overload)

# One lesson of docs/HEARTBEATS.md alone is shown, and not written: make heartbeats LESSON=frozen
LESSON ?=

heartbeats: build ## who notices a dead peer, and when: docs/HEARTBEATS.md; root, two minutes; LESSON=frozen: one alone
ifeq ($(LESSON),)
	$(call lab,heartbeats --page docs/HEARTBEATS.md)
else
	@mkdir -p out && echo '# The lesson $(LESSON)' >out/lesson.md
	$(call lab,heartbeats --workloads $(LESSON) --out out/lesson --page out/lesson.md)
	@sed '/^<!--/d' out/lesson.md
endif

bench-check: ## about a minute: a heartbeat allocates nothing, memory and CPU are near bare gnet's
	$(GO) test -count=1 -run AllocatesNothing ./internal/reactor
	$(GO) -C bench/lab run . check

storm-lab: build ## a storm for each policy of reconnecting, about two minutes: its section of BENCHMARKS.md
	$(call lab,storm-lab)

# A crasher is kept in testdata/fuzz and fails every later test run. With a time rather than
# a count, Go 1.26 may fail with "context deadline exceeded" and no crasher:
# golang.org/issue/75804.
fuzz: ## every fuzz target; FUZZTIME=60s each; FUZZ="codec client": those of folders
	@set -e; \
	targets=$$(grep -rnoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' $(FUZZ) | sed 's/^\(.*\)\/[^/]*:[0-9]*:func /\1 /'); \
	[ -n "$$targets" ] || { echo "no fuzz target found"; exit 1; }; \
	echo "$$targets" | while read -r dir name; do \
		echo "[$$dir] $$name"; \
		(cd $$dir && $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x .); \
	done

clean: ## remove bin and out
	rm -rf bin out
