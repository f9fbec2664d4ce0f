# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# completion.bash: alone responsible for what bash offers after `vzmigrate` and a TAB: options, their
# words, the hosts that ssh knows, and the containers of this host.

_vzmigrate_containers() {
	local home config
	home=$(lxc-config lxc.lxcpath 2>/dev/null) || return 0
	for config in "$home"/*/config; do
		[ -e "$config" ] || continue
		config=${config%/config}
		printf '%s\n' "${config##*/}"
	done
}

_vzmigrate_hosts() {
	local user=""
	case $1 in
	*@*) user=${1%%@*}@ ;;
	esac
	if declare -F _known_hosts_real >/dev/null; then
		_known_hosts_real -a ${user:+-c} -- "$1"
	elif [ -r ~/.ssh/known_hosts ]; then
		local hosts
		hosts=$(sed -n 's/^\([A-Za-z0-9][^ ,]*\).*/\1/p' ~/.ssh/known_hosts | sort -u)
		mapfile -t COMPREPLY < <(compgen -P "$user" -W "$hosts" -- "${1#"$user"}")
	fi
}

# The options that want a word, and what offers it.
declare -gA _vzmigrate_words=(
	[-r]="yes no" [--remove-area]="yes no"
	[--runtime]="lxc runc crun oci bundle"
	[--ssh]="" [--rsync]="" [--bwlimit]="" [--parallel]="" [--timeout]="" [--max-downtime]=""
)

_vzmigrate() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local options="--online --live --noiter --lazy --require-realtime --throttle --remove-area --nostart --readonly
		--keep-dst --dry-run --check-only --nodeps --recover --abort --batch --times --verbose --help
		--version ${!_vzmigrate_words[*]} -s -f -b -t -v -h"
	local checks="all cpu_check disk_space technologies license rate programs hostname private_area
		ip_address filesystem quota configuration mounts bridge idmap architecture clock memory criu
		cgroup lsm checkpoint processes iterations"
	local i destination="" ended=""

	COMPREPLY=()
	# bash takes an option and its value apart at the "=".
	if [ "$word" = "=" ]; then
		word=""
	elif [ "$previous" = "=" ] && ((COMP_CWORD > 1)); then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
		if [ "$previous" = --nodeps ]; then
			local before=""
			[[ $word != *,* ]] || before=${word%,*},
			mapfile -t COMPREPLY < <(compgen -P "$before" -W "$checks" -- "${word##*,}")
			return
		fi
	fi
	if [ -n "${_vzmigrate_words[$previous]+known}" ]; then
		mapfile -t COMPREPLY < <(compgen -W "${_vzmigrate_words[$previous]}" -- "$word")
		return
	fi
	if [ "${word:0:1}" = - ]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		return
	fi
	# The first word that is neither an option nor an option's value is the destination; --recover has none.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case $ended${COMP_WORDS[i]} in
		--) ended=yes ;;
		--recover) destination=none ;;
		-*)
			if [ "${COMP_WORDS[i + 1]-}" = "=" ]; then
				((i += 2))
			elif [ -n "${_vzmigrate_words[${COMP_WORDS[i]}]+known}" ]; then
				((i++))
			fi
			;;
		*) destination=${COMP_WORDS[i]} ;;
		esac
	done
	if [ -z "$destination" ]; then
		_vzmigrate_hosts "$word"
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_vzmigrate_containers)" -- "$word")
	fi
}

complete -F _vzmigrate vzmigrate
