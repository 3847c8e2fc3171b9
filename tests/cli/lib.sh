# SPDX-License-Identifier: MIT
#
# lib.sh - for the scripts of this folder: run a command, check what it says.
# TAP on stdout. Usage:
#	. "$(dirname "$0")/lib.sh"; begin EXPLORE BUILD_DIR; ...; finish
#
# A failure prints what was expected and what came, and keeps the directory.

begin()
{
	explore=$(realpath "$1")
	guests=$(realpath "$2")
	dir=$(mktemp -d "${TMPDIR:-/tmp}/explore-cli.XXXXXX") || exit 99
	cd "$dir" || exit 99
	nr=0
	nr_failed=0
}

pass()
{
	nr=$((nr + 1))
	echo "ok $nr - $1"
}

skip()
{
	nr=$((nr + 1))
	echo "ok $nr - $1 # SKIP $2"
}

fail()
{
	nr=$((nr + 1))
	nr_failed=$((nr_failed + 1))
	echo "not ok $nr - $1"
	shift
	printf '%s\n' "$@" | sed 's/^/# /'
	[ -s out ] && sed 's/^/# stdout: /' out
	[ -s err ] && sed 's/^/# stderr: /' err
}

# run COMMAND...: status in $status, output in ./out and ./err.
run()
{
	"$@" > out 2> err < /dev/null
	status=$?
}

# check NAME STATUS [FILE PATTERN]...: the last run's status, and that each
# file (out, err) has a line that matches the extended regular expression.
check()
{
	name=$1
	if [ "$status" != "$2" ]; then
		fail "$name" "status $status, not $2"
		return
	fi
	shift 2
	while [ $# -gt 0 ]; do
		if ! grep -qE -e "$2" "$1"; then
			fail "$name" "no line of '$1' matches: $2"
			return
		fi
		shift 2
	done
	pass "$name"
}

# refuses NAME STATUS PATTERN COMMAND...: the one clear message: a single line
# of stderr begins with "explore: ", and it matches.
refuses()
{
	name=$1 want=$2 pattern=$3
	shift 3
	run "$@"
	if [ "$(grep -c '^explore: ' err)" != 1 ]; then
		fail "$name" "not exactly one message"
		return
	fi
	check "$name" "$want" err "^explore: .*$pattern"
}

# holds NAME CONDITION...: a test(1) expression.
holds()
{
	name=$1
	shift
	if test "$@"; then
		pass "$name"
	else
		fail "$name" "does not hold: $*"
	fi
}

finish()
{
	echo "1..$nr"
	if [ "$nr_failed" = 0 ]; then
		cd / && rm -rf "$dir"
		exit 0
	fi
	echo "# kept: $dir"
	exit 1
}
