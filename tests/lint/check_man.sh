#!/bin/sh
# Man pages have no groff warnings, and nothing in them is wider than the page.
# usage: check_man.sh PAGE...
set -eu
for page; do
    warnings=$(groff -man -Tutf8 -ww -rLL=80n -z "$page" 2>&1)
    [ -z "$warnings" ] || { echo "$warnings"; exit 1; }
done
