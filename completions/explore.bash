# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# explore.bash - completion for explore(1) in bash.
#
# Installed as bash-completion wants it; to try it: . completions/explore.bash
# Keep the options in step with explorer/cli/options.c; a test compares them.

_explore_options()
{
	local search="--strategy --seed --max-steps --stdin --show-output
		--ok-exit --wake --traces --run-timeout --time-slack
		--clock --races --instrument --no-instrument --suppressions
		--no-guard --quiet"

	case $1 in
	run) echo "$search --budget --jobs --keep-going" ;;
	record) echo "$search" ;;
	replay) echo "--show-output --traces --run-timeout --no-guard --quiet" ;;
	dump | ls) echo "--traces --json" ;;
	esac
	echo "--help --version"
}

# Where the first word that is no option stands, from $1 on; options that take
# a value are followed by it. 0: there is none before the cursor.
_explore_operand()
{
	local i

	for ((i = $1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--budget | --strategy | --seed | --jobs | --max-steps | \
			--stdin | --ok-exit | --wake | --traces | \
			--run-timeout | --time-slack | --clock | --races | \
			--instrument | --no-instrument | --suppressions | \
			-b | -s | -j)
			i=$((i + 1))
			;;
		-*) ;;
		=*) i=$((i + 1)) ;;
		*)
			echo "$i"
			return
			;;
		esac
	done
	echo 0
}

# Names of traces below the default directory.
_explore_traces()
{
	local trace

	for trace in explore-traces/*/; do
		[ -e "${trace}trace.json" ] && printf '%s\n' "${trace%/}"
	done
}

_explore_strategies()
{
	"${COMP_WORDS[0]}" strategies 2>/dev/null |
		sed -n 's/^\([a-z][a-z0-9_-]*\)\([^a-z0-9_:=-].*\)\{0,1\}$/\1/p'
}

_explore_fill()
{
	mapfile -t COMPREPLY < <(compgen "$@")
}

_explore()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="run record replay dump ls strategies doctor help version"
	local command=run first=1 operand

	COMPREPLY=()
	if ((COMP_CWORD > 1)); then
		case " $commands " in
		*" ${COMP_WORDS[1]} "*)
			command=${COMP_WORDS[1]}
			first=2
			;;
		esac
	fi

	operand=$(_explore_operand "$first")
	case $command in
	run | record)
		if [ "$operand" -gt 0 ]; then
			# The program's own arguments: its completion if any.
			if declare -F _command_offset >/dev/null; then
				_command_offset "$operand"
			else
				_explore_fill -f -- "$current"
			fi
			return
		fi
		;;
	esac

	case $previous in
	--strategy | -s)
		_explore_fill -W "$(_explore_strategies)" -- "$current"
		[ ${#COMPREPLY[@]} -gt 0 ] || _explore_fill -f -- "$current"
		return
		;;
	--stdin | --suppressions | --instrument | --no-instrument)
		_explore_fill -f -- "$current"
		return
		;;
	--traces)
		_explore_fill -d -- "$current"
		return
		;;
	--wake)
		_explore_fill -W "any fifo" -- "$current"
		return
		;;
	--clock)
		_explore_fill -W "soft hpc none auto" -- "$current"
		return
		;;
	--races)
		_explore_fill -W "report fail off" -- "$current"
		return
		;;
	--budget | -b | --seed | --jobs | -j | --max-steps | --ok-exit | \
		--run-timeout | --time-slack)
		return
		;;
	esac

	case $current in
	-*)
		_explore_fill -W "$(_explore_options "$command")" -- "$current"
		return
		;;
	esac

	case $command in
	run)
		_explore_fill -c -- "$current"
		if ((COMP_CWORD == 1)); then
			local word
			for word in $commands; do
				case $word in
				"$current"*) COMPREPLY+=("$word") ;;
				esac
			done
		fi
		compopt -o filenames 2>/dev/null
		;;
	record)
		_explore_fill -c -- "$current"
		compopt -o filenames 2>/dev/null
		;;
	replay | dump)
		_explore_fill -W "$(_explore_traces)" -- "$current"
		[ ${#COMPREPLY[@]} -gt 0 ] || _explore_fill -d -- "$current"
		;;
	help)
		_explore_fill -W "$commands" -- "$current"
		;;
	esac
}

complete -F _explore explore
