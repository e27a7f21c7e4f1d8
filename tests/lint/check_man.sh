#!/bin/sh
# A man page has no groff warnings, and nothing in it is wider than the page.
# usage: check_man.sh PAGE
set -eu
warnings=$(groff -man -Tutf8 -ww -rLL=80n -z "$1" 2>&1)
[ -z "$warnings" ] || { echo "$warnings"; exit 1; }
