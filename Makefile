# Everything that a developer does with one-ft. A fresh machine needs Go (1.25 or
# later) and make; staticcheck is fetched through the Go module proxy.

PREFIX  ?= /usr/local
GO      ?= go
BINARIES = host_error vm_failure vm_unknown host_isolated oneft
# A static binary without paths of the machine that built it. The tag leaves out HTTP/2: oned and proxies before it speak
# HTTP/1.1. Nothing is inlined in packages that are called a few times in a run, which makes the executables 6 % smaller;
# pkg/one reads every answer of oned.
# All that is compiled without the race detector has these flags: one standard library for all of it.
FLAGS    = -buildvcs=false -tags=nethttpomithttp2,urfave_cli_no_docs -trimpath $(patsubst %,-gcflags=%=-l,crypto/... vendor/... net/... text/... regexp/... encoding/... archive/... compress/... html/... mime/... log/... fmt flag time os/... math/... go.yaml.in/... github.com/... one-ft/cmd/... one-ft/pkg/...) -gcflags=one-ft/pkg/one=
STATIC   = CGO_ENABLED=0 GOFLAGS='$(FLAGS)'
# The version comes from git.
VERSION  = $(shell git describe --tags --always --dirty 2>/dev/null)
BUILD    = $(STATIC) $(GO) build -ldflags '-s -w -X one-ft/pkg/app.version=$(VERSION)'
# The race detector needs a C compiler.
RACE     = $(shell command -v gcc >/dev/null 2>&1 && echo -race)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# How long make fuzz tries each target.
T        ?= 10s
# Packages: newer versions of nfpm need a newer Go.
NFPM     = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0
ARCHES  ?= amd64 arm64
FORMATS ?= deb rpm
MAINTAINER ?= one-ft maintainers <one-ft@users.noreply.github.com>
# The time in man pages and packages: that of the commit, so that two builds are the same.
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y go.mod)
endif
export SOURCE_DATE_EPOCH

.PHONY: flags build test demo lint bench chaos mutants fuzz man packages install clean

# For tests that build executables as they are shipped.
flags:
	@echo '$(FLAGS)'

build:
	@mkdir -p bin
	$(BUILD) -o bin/ $(addprefix ./cmd/,$(BINARIES))

# The race detector looks at what runs beside something else, and at a fifth of the scenarios, on one version. PLAIN is without it:
# pure packages, all scenarios, and those tests in which executables run as they are shipped. Packages more at a time than there are
# cores, because some wait more than they work: two, and one where many processes run. LONG take longest and begin first. What go
# vet finds make lint says.
TEST     = $(GO) test -timeout 30m -vet off -ldflags "-s -w" -shuffle on -p $(shell echo $$(($$(nproc) + $(1))))
PLAIN    = $(addprefix one-ft/,pkg/config% pkg/downtime% pkg/drill/% pkg/hook% pkg/incident/report% pkg/install% pkg/onedconf% pkg/recovery% scripts/% test/meta/% test/process/% test/sim/lab%)
LONG     = $(addprefix one-ft/test/,process/isolated process/rigs sim/lab)
ALL      = $(LONG) $(filter-out $(LONG),$(shell $(GO) list ./...))
test:
	$(call TEST,2) $(RACE) $(filter-out $(PLAIN),$(ALL))
	$(STATIC) $(call TEST,1) $(filter $(PLAIN) $(if $(RACE),%/failover %/scenarios),$(ALL))

demo: build
	$(BUILD) -o bin/ ./test/sim/lab/onelab
	scripts/demo

lint:
	@test -z "$$(gofmt -l cmd pkg scripts test)" || { gofmt -l cmd pkg scripts test; echo 'run gofmt -w on these'; exit 1; }
	$(STATIC) $(GO) vet ./...
	$(STATIC) $(GO) run $(STATICCHECK) ./...

# Takes minutes, and the machine for itself.
bench:
	@grep -m 1 'model name' /proc/cpuinfo; uname -srm; nproc; $(GO) version
	$(GO) test -count 1 -timeout 45m -run '^TestScale' -v ./test/meta/bench -full
	$(GO) test -count 1 -run '^TestScale$$' -v ./pkg/drill
	$(GO) test -count 1 -timeout 45m -run '^TestPlaybook$$' -v ./test/process/packages -full

# Random clouds and random trouble for the time T, in a process for each core. What fails is
# printed as a scenario file; SEED repeats a run.
chaos: T ?= 10m
chaos: SEED ?= $(shell date +%s)
chaos:
	@mkdir -p build
	$(GO) test -c -o build/chaos.test ./test/scenarios
	@cd test/scenarios && pids= && for core in $$(seq $$(nproc)); do \
	  ../../build/chaos.test -test.run TestChaos -test.v -test.timeout 0 -chaos.time $(T) -rapid.seed $$(($(SEED)+core)) -rapid.nofailfile \
	    >../../build/chaos-$$core.log 2>&1 & pids="$$pids $$!"; done; \
	bad=0; for pid in $$pids; do wait $$pid || bad=1; done; \
	for core in $$(seq $$(nproc)); do grep -v '^ *\[rapid\] draw' ../../build/chaos-$$core.log; done; exit $$bad

# Bugs on purpose: each has to be caught by a test. Some minutes.
mutants:
	$(GO) test -count 1 -timeout 2h -v ./test/meta/mutants -all

fuzz:
	@GO='$(GO)' scripts/fuzz $(T)

# Man pages and completions.
man: build
	GO='$(GO)' FLAGS='$(FLAGS)' scripts/packages/documents bin build/docs '$(VERSION)'

packages: man
	@for arch in $(ARCHES); do \
	  rm -rf build/bin/$$arch; mkdir -p build/bin/$$arch; \
	  if [ $$arch = "$$($(GO) env GOARCH)" ]; then cp $(addprefix bin/,$(BINARIES)) build/bin/$$arch/; \
	  else GOARCH=$$arch $(BUILD) -o build/bin/$$arch/ $(addprefix ./cmd/,$(BINARIES)); fi || exit 1; \
	done
	GO='$(GO)' FLAGS='$(FLAGS)' ARCHES='$(ARCHES)' FORMATS='$(FORMATS)' VERSION='$(VERSION)' MAINTAINER='$(MAINTAINER)' NFPM='$(NFPM)' scripts/packages/build

# Where there is no package: nothing is started, and no configuration is written.
SHARE    = $(DESTDIR)$(PREFIX)/share
UNITS    = $(DESTDIR)$(PREFIX)/lib/systemd/system
EXAMPLES = $(SHARE)/doc/one-ft/examples
# Units and examples with the paths of this installation.
HERE     = sed -e 's|/usr/sbin/|$(PREFIX)/sbin/|g' -e 's|/var/lib/one/remotes/hooks/ft/\(oneft\)|$(PREFIX)/bin/\1|g'

install: man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(UNITS) $(EXAMPLES) $(SHARE)/bash-completion/completions \
	  $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d $(addprefix $(SHARE)/man/man,1 5 8)
	install -m 0755 $(addprefix bin/,$(filter-out host_isolated,$(BINARIES))) $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 bin/host_isolated $(DESTDIR)$(PREFIX)/sbin/
	for n in 1 5 8; do install -m 0644 build/docs/man/*.$$n $(SHARE)/man/man$$n/ || exit 1; done
	install -m 0644 build/docs/bash/* $(SHARE)/bash-completion/completions/
	install -m 0644 build/docs/zsh/* $(SHARE)/zsh/site-functions/
	install -m 0644 build/docs/fish/* $(SHARE)/fish/vendor_completions.d/
	cp -r build/docs/doc/. $(SHARE)/doc/one-ft/
	install -m 0644 LICENSE $(SHARE)/doc/one-ft/
	install -m 0644 build/docs/copyright.rpm $(SHARE)/doc/one-ft/COPYRIGHT
	install -m 0644 scripts/one-ft.yaml scripts/host_isolated.yaml scripts/one-ft.logrotate $(EXAMPLES)/
	for dir in prometheus ansible; do install -d $(EXAMPLES)/$$dir && install -m 0644 scripts/$$dir/* $(EXAMPLES)/$$dir/ || exit 1; done
	for unit in scripts/*.service scripts/*.timer; do \
	  $(HERE) $$unit >build/unit && install -m 0644 build/unit $(UNITS)/$$(basename $$unit) || exit 1; \
	done
	for example in scripts/*.cron scripts/ft_isolated.sh; do \
	  $(HERE) $$example >build/unit && install -m $$(stat -c %a $$example) build/unit $(EXAMPLES)/$$(basename $$example) || exit 1; \
	done

clean:
	rm -rf bin build
