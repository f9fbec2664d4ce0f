// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for limiting which devices a cgroup of v2 may use. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup_devices.h"

/* Far more than anybody writes by hand, and within the million instructions that root may have. */
#define RULES_MAX 1000
#define ACCESS_ALL (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD)

/* Those of the kernel. */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)

static bool read_number(const char *text, int64_t most, int64_t *number)
{
	char *end;

	*number = -1;
	if (strcmp(text, "*") == 0)
		return true;
	if (*text < '0' || *text > '9')
		return false;
	*number = strtoll(text, &end, 10);
	return *end == '\0' && *number <= most;
}

static bool read_numbers(char *text, struct device_rule *rule)
{
	const char *major = strsep(&text, ":");

	return text != NULL && read_number(major, MAJOR_MAX, &rule->major) &&
	       read_number(text, MINOR_MAX, &rule->minor);
}

static bool read_access(const char *text, uint32_t *access)
{
	*access = 0;
	for (const char *at = text; *at != '\0'; at++)
		switch (*at) {
		case 'r':
			*access |= BPF_DEVCG_ACC_READ;
			break;
		case 'w':
			*access |= BPF_DEVCG_ACC_WRITE;
			break;
		case 'm':
			*access |= BPF_DEVCG_ACC_MKNOD;
			break;
		default:
			return false;
		}
	return *access != 0;
}

static bool read_words(const struct words *words, struct device_rule *rule)
{
	const char *type = words->count == 3 ? words->items[0] : "";

	rule->type = *type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	return (strcmp(type, "b") == 0 || strcmp(type, "c") == 0) &&
	       read_numbers(words->items[1], rule) && read_access(words->items[2], &rule->access);
}

static int read_device(const char *path, struct device_rule *rule, struct error *err)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return error_system(err, "cannot look at '%s'", path);
	if (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode))
		return error_set(err, "'%s' is no device", path);
	rule->type = S_ISBLK(status.st_mode) ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	rule->major = major(status.st_rdev);
	rule->minor = minor(status.st_rdev);
	rule->access = ACCESS_ALL;
	return 0;
}

static bool is_same(const struct device_rule *one, const struct device_rule *other)
{
	return one->type == other->type && one->major == other->major &&
	       one->minor == other->minor && one->access == other->access;
}

int device_rules_add(struct device_rules *rules, const char *text, bool allow, struct error *err)
{
	CLEANUP(words_release) struct words words = { 0 };
	struct device_rule rule = { .allow = allow };

	if (*text == '/') {
		if (read_device(text, &rule, err) < 0)
			return -1;
	} else {
		if (words_split(&words, text, err) < 0)
			return -1;
		if (words.count > 0 && strcmp(words.items[0], "a") == 0) {
			rules->others = allow;
			return 0;
		}
		if (!read_words(&words, &rule))
			return error_set(err, "'%s' is no rule for devices", text);
	}
	for (size_t i = 0; i < rules->count; i++)
		if (is_same(&rules->items[i], &rule)) {
			rules->items[i].allow = allow;
			return 0;
		}
	if (rules->count == RULES_MAX)
		return error_set(err, "there are more than %d rules for devices", RULES_MAX);
	rules->items = memory_grow(rules->items, rules->count, sizeof(*rules->items));
	rules->items[rules->count++] = rule;
	return 0;
}

void device_rules_release(struct device_rules *rules)
{
	free(rules->items);
	*rules = (struct device_rules){ 0 };
}

/* What the program keeps in its registers. */
enum { RESULT, CONTEXT, TYPE, MAJOR, MINOR, ACCESS };

/* At most so many instructions begin it, make a rule, and end it. */
#define HEAD_LENGTH 4
#define RULE_LENGTH 9
#define TAIL_LENGTH 2

struct program {
	struct bpf_insn *items;
	size_t count;
};

static void add(struct program *program, struct bpf_insn instruction)
{
	program->items[program->count++] = instruction;
}

/* What a register gets of the kernel's question. */
#define LOAD(to, field)                                                                            \
	((struct bpf_insn){ .code = BPF_LDX | BPF_W | BPF_MEM,                                     \
			    .dst_reg = (to),                                                       \
			    .src_reg = CONTEXT,                                                    \
			    .off = offsetof(struct bpf_cgroup_dev_ctx, field) })

#define CALCULATE(operation, to, number)                                                           \
	((struct bpf_insn){ .code = (operation) | BPF_ALU | BPF_K,                                 \
			    .dst_reg = (to),                                                       \
			    .imm = (int32_t)(number) })

/* Unless it has that number the rule does not fit. Where this leads is filled in when the rule is complete. */
#define UNLESS(of, number)                                                                         \
	((struct bpf_insn){                                                                        \
		.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (of), .imm = (int32_t)(number) })

static void add_result(struct program *program, bool allow)
{
	add(program, CALCULATE(BPF_MOV, RESULT, allow));
	add(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static void add_head(struct program *program)
{
	add(program, LOAD(TYPE, access_type));
	add(program, CALCULATE(BPF_AND, TYPE, 0xffff));
	add(program, LOAD(MAJOR, major));
	add(program, LOAD(MINOR, minor));
}

static void add_rule(struct program *program, const struct device_rule *rule)
{
	size_t begin = program->count;

	add(program, UNLESS(TYPE, rule->type));
	if (rule->major >= 0)
		add(program, UNLESS(MAJOR, rule->major));
	if (rule->minor >= 0)
		add(program, UNLESS(MINOR, rule->minor));
	add(program, LOAD(ACCESS, access_type));
	add(program, CALCULATE(BPF_RSH, ACCESS, 16));
	add(program, CALCULATE(BPF_AND, ACCESS, ~rule->access & ACCESS_ALL));
	add(program, UNLESS(ACCESS, 0));
	add_result(program, rule->allow);
	for (size_t i = begin; i < program->count; i++)
		if (program->items[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			program->items[i].off = (int16_t)(program->count - i - 1);
}

static int call(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int load(const struct device_rules *rules)
{
	size_t most = HEAD_LENGTH + RULE_LENGTH * rules->count + TAIL_LENGTH;
	struct program program = { .items = memory_allocate(most, sizeof(*program.items)) };
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
	int fd;

	add_head(&program);
	for (size_t i = 0; i < rules->count; i++)
		add_rule(&program, &rules->items[i]);
	add_result(&program, rules->others);
	attributes.insns = (uintptr_t)program.items;
	attributes.insn_cnt = (uint32_t)program.count;
	attributes.license = (uintptr_t) "GPL";
	fd = call(BPF_PROG_LOAD, &attributes);
	free(program.items);
	return fd;
}

int cgroup_devices_limit(const char *path, const struct device_rules *rules, struct error *err)
{
	CLEANUP(descriptor_close) int cgroup = -1;
	CLEANUP(descriptor_close) int program = -1;
	union bpf_attr attributes = { .attach_type = BPF_CGROUP_DEVICE,
				      .attach_flags = BPF_F_ALLOW_MULTI };

	if (!text_starts_with(path, "/sys/fs/cgroup/") || !file_path_is_plain(path))
		return error_set(err, "'%s' is no cgroup", path);
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	program = cgroup >= 0 ? load(rules) : -1;
	attributes.target_fd = (uint32_t)cgroup;
	attributes.attach_bpf_fd = (uint32_t)program;
	if (program < 0 || call(BPF_PROG_ATTACH, &attributes) < 0)
		return error_system(err, "cannot limit the devices of the cgroup '%s'", path);
	return 0;
}
