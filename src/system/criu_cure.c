// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for taking away what a criu that was killed left in a container: its network lock,
 * and connections in the kernel's repair mode, silent for ever. */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "system/cgroup.h"
#include "system/criu.h"

/* What one call of a packet filter program may take. */
#define PROGRAM_LIMIT_MS 10000

/* linux/tcp.h; the C library's header has only TCP_REPAIR. */
#define REPAIR_OFF 0

struct patient {
	pid_t first; /* a process of the container, for its network namespace */
	int cured;
};

/* Is it a TCP connection that criu left in repair mode? Then it ends that: the kernel asks the peer where it is. */
static bool cure_socket(int fd)
{
	int protocol = 0;
	int repair = 0;
	int off = REPAIR_OFF;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0 ||
	    protocol != IPPROTO_TCP)
		return false;
	size = sizeof(int);
	return getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, &size) == 0 && repair == 1 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)) == 0;
}

static bool is_socket(int directory, const char *name)
{
	char target[16];
	ssize_t length = readlinkat(directory, name, target, sizeof(target));

	return length > 7 && strncmp(target, "socket:", 7) == 0;
}

static void cure_process(pid_t pid, void *data)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/fd", (int)pid);
	CLEANUP(descriptor_close) int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct patient *patient = data;
	struct dirent *entry;
	DIR *descriptors = opendir(path);

	if (patient->first == 0)
		patient->first = pid;
	if (descriptors == NULL)
		return;
	while (process >= 0 && (entry = readdir(descriptors)) != NULL) {
		CLEANUP(descriptor_close) int fd = -1;

		if (entry->d_name[0] == '.' || !is_socket(dirfd(descriptors), entry->d_name))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		if (fd >= 0 && cure_socket(fd))
			patient->cured++;
	}
	closedir(descriptors);
}

/* In the container's network namespace; what fails was not there. */
static bool in_network_of(pid_t pid, const char *const *words, struct text *output)
{
	CLEANUP(words_release) struct words argv = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };
	struct error failure;

	words_format(&argv, "nsenter");
	words_format(&argv, "--net=/proc/%d/ns/net", (int)pid);
	words_add_all(&argv, words);
	options.argv = (const char *const *)argv.items;
	if (process_run(&options, PROGRAM_LIMIT_MS, output, &failure) == 0)
		return true;
	log_trace("%s", failure.text);
	return false;
}

/* criu's chain CRIU, which INPUT and OUTPUT jump to. */
static void unlock_chain(pid_t pid, const char *program)
{
	static const char *const acts[][5] = {
		{ "-D", "INPUT", "-j", "CRIU" },
		{ "-D", "OUTPUT", "-j", "CRIU" },
		{ "-F", "CRIU" },
		{ "-X", "CRIU" },
	};

	if (!in_network_of(pid, (const char *const[]){ program, "-w", "-S", "CRIU", NULL }, NULL))
		return;
	for (size_t i = 0; i < COUNT_OF(acts); i++)
		in_network_of(pid,
			      (const char *const[]){ program, "-w", acts[i][0], acts[i][1],
						     acts[i][2], acts[i][3], NULL },
			      NULL);
}

/* With the other backend it is a table "inet CRIU-…". */
static void unlock_tables(pid_t pid)
{
	static const char prefix[] = "table inet CRIU-";
	CLEANUP(text_release) struct text tables = { 0 };
	char *rest;

	if (!in_network_of(pid, (const char *const[]){ "nft", "list", "tables", NULL }, &tables))
		return;
	rest = tables.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (text_starts_with(line, prefix))
			in_network_of(pid,
				      (const char *const[]){ "nft", "delete", "table", "inet",
							     line + strlen("table inet "), NULL },
				      NULL);
}

int criu_cure(const char *cgroup, struct error *err)
{
	struct patient patient = { 0 };

	if (cgroup_visit(cgroup, cure_process, &patient, err) < 0)
		return -1;
	if (patient.first == 0)
		return 0;
	unlock_chain(patient.first, "iptables");
	unlock_chain(patient.first, "ip6tables");
	unlock_tables(patient.first);
	return patient.cured;
}
