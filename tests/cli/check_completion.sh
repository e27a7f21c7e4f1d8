#!/bin/bash
# Completes command lines with what 'tinyrig help completion' prints. usage: check_completion.sh TINYRIG
set -euo pipefail
tinyrig=$1
source <("$tinyrig" help completion)

# complete EXPECTED WORD...: completing the last word offers exactly EXPECTED.
complete_words() {
    local expected=$1
    shift
    COMP_WORDS=(tinyrig "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _tinyrig
    [ "${COMPREPLY[*]}" = "$expected" ] ||
        { echo "completing '$*' offers '${COMPREPLY[*]}', not '$expected'"; exit 1; }
}

complete_words resume res
complete_words --virtual-jobs run --vir
complete_words '--dry-run --db' run suite.yaml --d
complete_words '' run suite
# Every command is offered.
COMP_WORDS=(tinyrig '') COMP_CWORD=1 COMPREPLY=()
_tinyrig
while read -r command; do
    [[ " ${COMPREPLY[*]} " = *" $command "* ]] || { echo "$command is not offered"; exit 1; }
done < <("$tinyrig" help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
