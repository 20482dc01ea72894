# Everything that a developer does with one-ft. A fresh machine needs Go (1.25 or
# later) and make; staticcheck is fetched through the Go module proxy.

PREFIX  ?= /usr/local
GO      ?= go
BINARIES = host_error vm_failure vm_unknown host_isolated oneft
# A static binary without paths of the machine that built it; its version comes
# from git.
VERSION  = $(shell git describe --tags --always --dirty 2>/dev/null)
BUILD    = CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-s -w -X one-ft/pkg/app.version=$(VERSION)'
# The race detector needs a C compiler.
RACE     = $(shell command -v gcc >/dev/null 2>&1 && echo -race)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 10s

.PHONY: build test demo lint bench fuzz install clean

build:
	@mkdir -p bin
	$(BUILD) -o bin/ $(addprefix ./cmd/,$(BINARIES))

test:
	$(GO) test $(RACE) -shuffle on ./...

demo: build
	$(BUILD) -o bin/ ./test/lab/onelab
	scripts/demo

lint:
	@test -z "$$(gofmt -l cmd pkg test)" || { gofmt -l cmd pkg test; echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

bench:
	$(GO) test -count 1 -run TestScale -v ./test/bench

fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$name"; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; \
	done

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(addprefix bin/,$(BINARIES)) $(DESTDIR)$(PREFIX)/bin/

clean:
	rm -rf bin
