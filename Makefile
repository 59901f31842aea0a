# Thin: every target is one call of the host tool (tools/mitos), which build/bootstrap.sh makes.
# Variables of `make run`: SMP=4 (CPUs), MEM=256 (MiB), KVM=1 (the host's CPU), GDB=1 (wait for a debugger), ARGS="log=debug" (words
# for the kernel, see docs/command-line.md).

MITOS := target/tools/release/mitos
SMP ?= 4
MEM ?= 256

.DEFAULT_GOAL := help
.PHONY: help run test demo bench build iso fmt lint clean cell application

# The words after `cell` and `application` are no targets.
ifneq (,$(filter cell application,$(firstword $(MAKECMDGOALS))))
WORDS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
.PHONY: $(WORDS)
$(WORDS):
	@:
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
	@sed -n '/^# Variables/,/^$$/s/^# //p' Makefile

run: ## install what is missing, build, boot in QEMU with a shell on this terminal (Ctrl-A X leaves)
	@sh build/bootstrap.sh run
	@$(MITOS) run --cpus '$(SMP)' --memory '$(MEM)' $(if $(KVM),--kvm='$(KVM)') $(if $(GDB),--gdb='$(GDB)') -- $(ARGS)

test: ## all tests: host units, compile-fail, system in QEMU; the last line is "N passed, N failed"
	@sh build/bootstrap.sh test
	@$(MITOS) test

demo: ## boot unattended and walk through cells, swaps and faults, each step verified
	@sh build/bootstrap.sh demo
	@$(MITOS) demo

bench: ## measure operations in ticks and instructions (target/report/bench.json)
	@sh build/bootstrap.sh bench
	@$(MITOS) bench

build: ## seed, archive of cells and reports under target/; with MITOS_BASE_ONLY=1 without the alternates
	@sh build/bootstrap.sh build
	@$(MITOS) build

iso: ## a bootable image, target/mitos/mitos.iso
	@sh build/bootstrap.sh iso
	@$(MITOS) iso

fmt: ## format all sources
	@sh build/bootstrap.sh fmt
	@$(MITOS) fmt

lint: ## clippy with warnings as errors, and the format check
	@sh build/bootstrap.sh lint
	@$(MITOS) lint

cell: ## begin a cell: make cell GROUP/NAME
	@sh build/bootstrap.sh build
	@$(MITOS) new cell $(WORDS)

application: ## begin an application: make application NAME
	@sh build/bootstrap.sh build
	@$(MITOS) new application $(WORDS)

clean: ## remove everything that was built
	rm -rf target
