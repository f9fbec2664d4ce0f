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

_vzmigrate() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local options="--online --live --remove-area --keep-dst --ssh --rsync --verbose --times --timeout
		--runtime --help --version -r -v -t -h"
	local i destination="" ended=""

	COMPREPLY=()
	# bash takes an option and its value apart at the "=".
	if [ "$word" = "=" ]; then
		word=""
	elif [ "$previous" = "=" ] && ((COMP_CWORD > 1)); then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $previous in
	-r | --remove-area)
		mapfile -t COMPREPLY < <(compgen -W "yes no" -- "$word")
		return
		;;
	--runtime)
		mapfile -t COMPREPLY < <(compgen -W "lxc" -- "$word")
		return
		;;
	--ssh | --rsync | --timeout)
		return
		;;
	esac
	if [ "${word:0:1}" = - ]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		return
	fi
	# The first word that is neither an option nor an option's value is the destination.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case $ended${COMP_WORDS[i]} in
		--) ended=yes ;;
		-r | --remove-area | --runtime | --ssh | --rsync | --timeout)
			[ "${COMP_WORDS[i + 1]}" = "=" ] && ((i++))
			((i++))
			;;
		-*) ;;
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
