.PHONY: help
help:
	@echo "make build | run | test"
