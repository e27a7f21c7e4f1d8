#!/bin/sh
# Each header must compile alone: whoever includes it needs nothing before it.
# usage: check_headers.sh SOURCE_ROOT
set -eu
cd "$1"
status=0
for header in $(find harness agents targets -name '*.h' -not -path 'agents/ports/*' | sort); do
    printf '#include "%s"\n' "$header" |
        cc -std=gnu11 -D_GNU_SOURCE -I. -fsyntax-only -Wall -Wextra -Werror -x c - ||
        { echo "$header does not compile alone"; status=1; }
done
exit $status
