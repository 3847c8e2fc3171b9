#compdef explore
# SPDX-License-Identifier: MIT
#
# explore.zsh - completion for explore(1) in zsh, installed as _explore.
#
# Keep the options in step with explorer/cli/options.c; a test compares them.

_explore_strategy() {
	local -a names
	names=(${(f)"$(_call_program strategies $words[1] strategies 2>/dev/null |
		sed -n 's/^\([a-z][a-z0-9_-]*\)\([^a-z0-9_:=-].*\)\{0,1\}$/\1/p')"})
	_alternative \
		'names:strategy:compadd -a names' \
		'files:plug-in:_files -g "*.so"'
}

_explore_trace() {
	local -a traces
	traces=(explore-traces/*/trace.json(N:h))
	_alternative \
		'traces:trace:compadd -a traces' \
		'directories:directory:_files -/'
}

_explore_commands() {
	local -a commands
	commands=(
		'run:search for a failing schedule'
		'record:run once and save a trace'
		'replay:repeat a recorded run exactly'
		'dump:print a recorded schedule'
		'ls:list the recorded traces'
		'strategies:list the strategies'
		'doctor:say what this machine offers'
		'help:explain a command'
		'version:print the version'
	)
	_describe -t commands 'explore command' commands
}

_explore() {
	local curcontext=$curcontext command=run
	local -a common record run replay list

	common=(
		'(- *)'{-h,--help}'[print help]'
		'(- *)'{-V,--version}'[print the version]'
	)
	replay=(
		'--traces[where traces are kept]:directory:_files -/'
		'--show-output[print what the target prints]'
		'--run-timeout[end a run that does nothing for so long]:seconds:'
		'--no-guard[do not keep the target from harming the system]'
		'(-q --quiet)'{-q,--quiet}'[no progress line and no notes]'
	)
	record=(
		$replay
		'(-s --strategy)'{-s,--strategy}'[how schedules are chosen]:strategy:_explore_strategy'
		'--seed[what the search is drawn from]:number:'
		'--max-steps[scheduling points in one run]:number:'
		'--stdin[standard input of the target]:file:_files'
		'*--ok-exit[exit status that is no failure]:status:'
		'--wake[which waiter a wake-up takes]:which:(any fifo)'
		'--clock[where threads can change places]:clock:(soft hpc none auto)'
		'--races[what a data race is]:what:(report fail off)'
		'*--instrument[watch accesses of this library too]:pattern:_files'
		'*--no-instrument[do not watch accesses of this file]:pattern:_files'
		'--suppressions[races not to mention]:file:_files'
		'--time-slack[let timeouts come this much early]:milliseconds:'
	)
	run=(
		$record
		'(-b --budget)'{-b,--budget}'[stop after N runs or a time]:budget:'
		'(-j --jobs)'{-j,--jobs}'[schedules at a time]:number:'
		'(-k --keep-going)'{-k,--keep-going}'[collect distinct failures]'
	)
	list=(
		'--traces[where traces are kept]:directory:_files -/'
		'--json[machine-readable output]'
	)

	case ${words[2]-} in
	run | record | replay | dump | ls | strategies | doctor | help | version)
		if (( CURRENT > 2 )); then
			command=$words[2]
			# As if the command were the program's name.
			words=("$words[1]" "${(@)words[3,-1]}")
			(( CURRENT-- ))
		fi
		;;
	esac

	case $command in
	run)
		_arguments -S $common $run '1:program:_explore_first' \
			'*::arguments:_normal'
		;;
	record)
		_arguments -S $common $record '1:program:_command_names -e' \
			'*::arguments:_normal'
		;;
	replay) _arguments $common $replay '1:trace:_explore_trace' ;;
	dump) _arguments $common $list '1:trace:_explore_trace' ;;
	ls) _arguments $common $list ;;
	help) _arguments $common '1:command:_explore_commands' ;;
	*) _arguments $common ;;
	esac
}

_explore_first() {
	_alternative 'commands:command:_explore_commands' \
		'programs:program:_command_names -e' \
		'files:program:_files -g "*(-*)"'
}

_explore "$@"
