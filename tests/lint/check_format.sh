#!/bin/sh
# Every C file is formatted as .clang-format says. usage: check_format.sh SOURCE_ROOT
set -eu
cd "$1"
find harness agents targets tests -name '*.[ch]' | sort | xargs clang-format --dry-run -Werror
