# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# setup.sh - find and install what the build and the tests need.
#
# Sourced by ./quickstart and ./check; defines functions and does nothing by
# itself. The caller has `set -u` and stands in the source directory.
#
#	setup_build	what no build goes without; non-zero when still missing
#	setup_tests	the rest; a program that cannot be had only means that
#			its tests are skipped, so this never fails
#
# Debian's package names. Elsewhere, when apt-get is not there, setup_build
# looks for the tools themselves and leaves the rest to meson's messages.

# What the tool and its runtime are built with.
SETUP_BUILD="gcc g++ libc6-dev meson ninja-build pkg-config
	libelf-dev libdw-dev libzydis-dev libcjson-dev libzstd-dev
	libseccomp-dev libcmocka-dev"

# The second compiler is part of ./check, not of an ordinary build.
SETUP_CHECK="clang"

# Unmodified Debian programs that the tests run under the tool, and linters.
SETUP_OPTIONAL="pigz pbzip2 bzip2 xz-utils zstd libsqlite3-dev redis-server
	redis-tools gdb make mandoc lbzip2 libglib2.0-dev libtbb-dev libuv1-dev
	lld"

setup_say()
{
	printf '%s\n' "$*"
}

# Those of the packages in $* that are not installed.
setup_missing()
{
	for pkg in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$pkg" \
			2>/dev/null) || state=
		[ "$state" = installed ] || printf ' %s' "$pkg"
	done
}

# Run a command as root, or say 126: nobody here may.
setup_as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		return 126
	fi
}

# Servers that a package brings must not start on the user's machine. Debian
# asks policy-rc.d; ours says no, and is gone again when apt-get is done or
# interrupted. An administrator's own policy is left alone.
# shellcheck disable=SC2016 # for the inner shell
setup_quiet_apt='
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap "rm -f $policy" EXIT
	trap "exit 130" HUP INT TERM
	printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"
fi
DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none \
	NEEDRESTART_MODE=l apt-get -q -y -o Dpkg::Use-Pty=0 \
	-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@"
'

# apt-get without questions. stdin is closed: a package that asks anyway gets
# end of file instead of hanging a build machine.
setup_apt()
{
	setup_as_root sh -c "$setup_quiet_apt" apt-get "$@" </dev/null
}

# Package lists are fetched once per process, and only when something is
# missing. A failure is not the end: older lists may do.
setup_updated=no
setup_update()
{
	[ "$setup_updated" = no ] || return 0
	setup_updated=yes
	setup_apt update
	case $? in
	0) ;;
	126) return 126 ;;
	*) setup_say "warning: apt-get update failed; trying what is known" >&2 ;;
	esac
}

setup_install()
{
	setup_update || return
	setup_apt install --no-install-recommends "$@"
}

# Without apt-get: name the tools that are not there.
setup_look_for_tools()
{
	lacking=
	for tool in "$@"; do
		command -v "$tool" >/dev/null 2>&1 || lacking="$lacking $tool"
	done
	[ -z "$lacking" ] && return 0
	setup_say "error: no apt-get here, and not found:$lacking" >&2
	setup_say "install the equivalents of these Debian packages:" >&2
	# shellcheck disable=SC2086 # words on purpose
	setup_say "  "$SETUP_BUILD $SETUP_CHECK >&2
	return 1
}

# Install those packages of $* that are missing. Returns 1 with a message when
# one is still missing afterwards.
setup_require()
{
	missing=$(setup_missing "$@")
	[ -n "$missing" ] || return 0
	setup_say "installing:$missing"
	# shellcheck disable=SC2086 # words on purpose
	setup_install $missing
	case $? in
	0)
		return 0
		;;
	126)
		setup_say "error: missing packages, and this is neither root" \
			"nor is there sudo; as root, run:" >&2
		setup_say "  apt-get install --no-install-recommends$missing" >&2
		return 1
		;;
	*)
		setup_say "error: apt-get could not install:$missing" >&2
		return 1
		;;
	esac
}

setup_has_apt()
{
	command -v apt-get >/dev/null 2>&1 &&
		command -v dpkg-query >/dev/null 2>&1
}

# setup_build [check]: with `check` the second compiler too.
setup_build()
{
	if ! setup_has_apt; then
		setup_look_for_tools gcc g++ meson ninja pkg-config \
			${1:+clang}
		return
	fi
	# shellcheck disable=SC2086 # words on purpose
	setup_require $SETUP_BUILD ${1:+$SETUP_CHECK}
}

setup_tests()
{
	setup_has_apt || return 0
	# shellcheck disable=SC2086 # words on purpose
	missing=$(setup_missing $SETUP_OPTIONAL)
	[ -n "$missing" ] || return 0
	setup_say "installing for the tests:$missing"
	# All at once is fast; one by one gets what can be had.
	# shellcheck disable=SC2086 # words on purpose
	setup_install $missing && return 0
	for pkg in $missing; do
		setup_install "$pkg" ||
			setup_say "warning: no '$pkg'; its tests are skipped" >&2
	done
	return 0
}
