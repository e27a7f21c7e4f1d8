#!/bin/sh
# The HTML report through an HTML validator and an accessibility checker. Skips (77) unless chromium
# is there and node_modules/{html-validate,axe-core,puppeteer-core} in TINYRIG_HTML_TOOLS, by default
# build-html-tools beside the sources: './bootstrap html-tools' installs them.
# usage: check.sh TEST_REPORT_HTML SOURCE_ROOT
set -eu
tools=${TINYRIG_HTML_TOOLS:-$2/build-html-tools}
[ -n "$tools" ] && [ -d "$tools/node_modules/axe-core" ] ||
    { echo "the checkers are not installed: ./bootstrap html-tools"; exit 77; }
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "there is no chromium"; exit 77; }
export CHROMIUM NODE_PATH="$tools/node_modules" TINYRIG_SOURCE="$2"
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
TINYRIG_KEEP_HTML=$pages "$1"
cp "$2/tests/html/htmlvalidate.json" "$pages/.htmlvalidate.json"
"$tools/node_modules/.bin/html-validate" --config "$pages/.htmlvalidate.json" "$pages"/*.html
rm "$pages"/large.html "$pages"/models.html "$pages"/run.html # nothing that night.html has not
node "$2/tests/html/axe.js" "$pages"/*.html
