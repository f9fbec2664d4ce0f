# SPDX-License-Identifier: GPL-2.0-or-later
# machine.sh: alone responsible for one run of a virtual machine, from the boot to the command's exit status
# (sourced by scripts/vm).
# shellcheck shell=bash
#
# What goes in is a tar archive that is the machine's second disk; its first one is an overlay that is thrown away.
# Both are NVMe's: the kernel has that driver built in, so that it needs no initramfs.
# What the command writes comes out through a port of virtio, its exit status through the second serial line, the
# kernel's messages through the first.

# vm_run COMMAND...
vm_run() {
	local status=0
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/vzmigrate-vm.XXXXXX")
	emulator="" reader=""
	trap vm_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	pack_project "$@"
	# Open for both, so that neither end waits for the other, nor ends because the other does.
	mkfifo "$work/output"
	exec 8<>"$work/output"
	cat "$work/output" 8>&- &
	reader=$!
	emulate 8>&- &
	emulator=$!
	wait $emulator || status=$?
	emulator=""
	exec 8>&-
	wait $reader || true
	reader=""
	vm_status "$status"
}

vm_end() {
	local process
	for process in $emulator $reader; do kill "$process" 2>/dev/null || true; done
	[ -z "$emulator" ] || wait "$emulator" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}

# pack_project COMMAND...: the second disk.
pack_project() {
	local program=${VZMIGRATE:-$project/build/vzmigrate}
	mkdir -p "$work/project/build"
	cp -a "$project"/{scripts,tests,man} "$work/project/"
	[ ! -x "$program" ] || install -m 755 "$program" "$work/project/build/vzmigrate"
	printf '%q ' "$@" >"$work/project/command"
	tar -c -f "$work/project.tar" --owner=0 --group=0 -C "$work/project" .
	rm -r "$work/project"
	# A disk has whole sectors.
	truncate -s %512 "$work/project.tar"
}

# emulate: QEMU, in its own tree, until the machine ends or its time is over.
emulate() {
	local vm memory=${VZMIGRATE_VM_MEMORY:-1536}
	vm=$(vm_path)
	# shellcheck disable=SC2016	# expanded by the inner shell
	exec timeout --foreground -k 10 "${VZMIGRATE_VM_LIMIT:-900}" \
		unshare --mount --propagation private sh -ec 'tree=$1/emulator
			mount --bind "$1/machine" "$tree/mnt/machine"
			mount --bind "$2" "$tree/mnt/run"
			shift 2
			exec chroot "$tree" /usr/bin/env -i TMPDIR=/mnt/run "$@"' _ "$vm" "$work" \
		/usr/bin/qemu-system-x86_64 -name vzmigrate -machine q35 -accel tcg,thread=multi,tb-size=512 \
		-cpu max,la57=off -smp 2 -m "$memory" -nodefaults -no-user-config -display none -no-reboot \
		-kernel /mnt/machine/vmlinuz \
		-append "root=/dev/nvme0n1 rw rootflags=noinit_itable init=/sbin/vm-init console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off apparmor=0" \
		-chardev file,id=console,path=/mnt/run/console -serial chardev:console \
		-chardev file,id=status,path=/mnt/run/status -serial chardev:status \
		-chardev file,id=output,path=/mnt/run/output \
		-device virtio-serial-pci -device virtserialport,chardev=output,name=output \
		-device virtio-rng-pci \
		-device nvme,id=disks,serial=vm \
		-drive file=/mnt/machine/disk,format=raw,if=none,id=disk,snapshot=on,cache=unsafe \
		-device nvme-ns,bus=disks,nsid=1,drive=disk \
		-drive file=/mnt/run/project.tar,format=raw,if=none,id=project \
		-device nvme-ns,bus=disks,nsid=2,drive=project </dev/null
}

# vm_status STATUS: the command's exit status, or why there is none; STATUS is how the emulator ended.
vm_status() {
	local said
	said=$(sed -n 's/^exit \([0-9]*\).*/\1/p' "$work/status" 2>/dev/null | tail -n 1)
	[ -z "$said" ] || exit "$said"
	tail -n 40 "$work/console" >&2 2>/dev/null || true
	case $1 in
	124 | 137)
		echo "vm: out of time after ${VZMIGRATE_VM_LIMIT:-900} seconds; the end of its console is above" >&2
		exit 124
		;;
	esac
	echo "vm: the virtual machine died (status $1 of the emulator); the end of its console is above" >&2
	exit 125
}
