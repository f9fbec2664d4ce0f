/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which devices the processes of a cgroup of v2 may use: a program that the kernel runs whenever one is opened or made.
 * Rules are read as lxc reads those of lxc.cgroup2.devices, and mean the same: the first that fits decides.
 */
#ifndef SYSTEM_CGROUP_DEVICES_H
#define SYSTEM_CGROUP_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct device_rule {
	uint32_t type;	 /* BPF_DEVCG_DEV_... */
	int64_t major;	 /* -1: any */
	int64_t minor;	 /* -1: any */
	uint32_t access; /* BPF_DEVCG_ACC_...: fits what wants nothing beyond that */
	bool allow;
};

/* Valid at { 0 }: no rules, and nothing is allowed that no rule fits. */
struct device_rules {
	struct device_rule *items;
	size_t count;
	bool others; /* allowed */
};

/*
 * "a": decides over what no rule fits; "c 1:3 rwm", "b *:* m": of a kind, numbers and uses; "/dev/fuse": the device of
 * that name on this node. One that differs from an earlier one only in whether it allows replaces that.
 */
int device_rules_add(struct device_rules *rules, const char *text, bool allow, struct error *err);
void device_rules_release(struct device_rules *rules);

/* From now on, and as long as there is the cgroup, which is named by its absolute directory. What is open stays open. */
int cgroup_devices_limit(const char *path, const struct device_rules *rules, struct error *err);

#endif
