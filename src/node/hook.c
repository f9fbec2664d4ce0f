// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for criu's action scripts: both ends of their socket, and who decides if nobody
 * is at the other end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/dump.h"
#include "node/hook.h"
#include "node/undo.h"
#include "system/network.h"

struct late_thaw {
	pid_t criu;
	const char *freezer;
	const char *images;
};

/* Whose hook this process is: its parent when it began. When that is gone it was somebody else's. */
static pid_t criu;

#define PROCEED "proceed"
#define REFUSE "refuse"

/* How often an orphaned hook looks whether somebody came back. */
#define ORPHAN_INTERVAL_MS 100

static int socket_address(const char *directory, struct sockaddr_un *address, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/hook.socket", directory);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return error_set(err, "the path '%s' is too long for a socket", path);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

char *hook_path(const struct host *host)
{
	return memory_format("%s/hook", host->run_directory);
}

int hook_listen(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *link = hook_path(host);
	CLEANUP(memory_release) char *program = process_own_path();
	CLEANUP(descriptor_close) int fd = -1;
	struct sockaddr_un address;

	if (socket_address(host->run_directory, &address, err) < 0)
		return -1;
	if (symlink(program, link) < 0 && errno != EEXIST)
		return error_system(err, "cannot make the link '%s'", link);
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0)
		return error_system(err, "cannot listen on '%s'", address.sun_path);
	host->hook_listener = descriptor_steal(&fd);
	return 0;
}

/* Takes one hook's report. True when it is the stage that is waited for. */
static bool accept_report(struct host *host, const char *stage)
{
	CLEANUP(descriptor_close) int fd = accept4(host->hook_listener, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd ready = { fd, POLLIN, 0 };
	struct error ignored;
	char said[64] = "";
	char *blank;

	if (fd < 0 || wait_for(&ready, 1, 1000, &ignored) <= 0 ||
	    recv(fd, said, sizeof(said) - 1, MSG_DONTWAIT) <= 0)
		return false;
	log_debug("criu is at %s", said);
	blank = strchr(said, ' ');
	if (blank != NULL)
		*blank = '\0';
	if (strcmp(said, stage) != 0)
		return false;
	host->init_pid = blank != NULL ? (pid_t)strtol(blank + 1, NULL, 10) : 0;
	descriptor_close(&host->hook);
	host->hook = descriptor_steal(&fd);
	return true;
}

int hook_wait(struct host *host, const char *stage, int timeout_ms, int *status, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;
	bool ended = false;

	for (;;) {
		struct pollfd ready[2] = { { host->hook_listener, POLLIN, 0 },
					   { ended ? -1 : host->checkpoint.pidfd, POLLIN, 0 } };
		int64_t left = deadline - wait_clock();
		int count =
			wait_for(ready, 2, timeout_ms < 0 ? -1 : (int)(left > 0 ? left : 0), err);

		if (count < 0)
			return -1;
		if (ready[0].revents != 0 && accept_report(host, stage))
			return 1;
		if (process_ended(&host->checkpoint, status)) {
			if (*status != 0)
				return 0;
			ended = true;
		}
		if (count == 0)
			return error_set(err, "criu did not reach %s within %d s", stage,
					 timeout_ms / 1000);
	}
}

int hook_take(struct host *host, const char *stage, int timeout_ms, struct error *err)
{
	struct pollfd ready = { host->hook_listener, POLLIN, 0 };

	if (wait_for(&ready, 1, timeout_ms, err) < 0)
		return -1;
	return ready.revents != 0 && accept_report(host, stage) ? 1 : 0;
}

bool hook_waits(const struct host *host)
{
	char byte;

	return host->hook >= 0 &&
	       recv(host->hook, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK) < 0 &&
	       errno == EAGAIN;
}

int hook_answer(struct host *host, bool proceed, struct error *err)
{
	const char *answer = proceed ? PROCEED : REFUSE;

	if (host->hook < 0)
		return error_set(err, "no hook of criu waits");
	if (send(host->hook, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		return error_system(err, "cannot answer criu's hook");
	descriptor_close(&host->hook);
	return 0;
}

bool hook_is_meant(const char *path)
{
	return text_starts_with(path, RUN_DIRECTORY "/") && text_ends_with(path, "/hook") &&
	       getenv("CRTOOLS_SCRIPT_ACTION") != NULL;
}

int hook_ask(const char *directory, const char *stage)
{
	CLEANUP(descriptor_close) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const char *pid = getenv("CRTOOLS_INIT_PID");
	struct sockaddr_un address;
	struct error ignored;
	CLEANUP(memory_release)
	char *report = memory_format("%s %s", stage, pid != NULL ? pid : "0");
	char answer[16] = "";

	if (fd < 0 || socket_address(directory, &address, &ignored) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, report, strlen(report), MSG_NOSIGNAL) < 0)
		return -1;
	if (strcmp(stage, HOOK_POST_RESUME) == 0)
		return 0;
	if (recv(fd, answer, sizeof(answer) - 1, 0) <= 0)
		return -1;
	if (strcmp(answer, PROCEED) == 0)
		return 0;
	return strcmp(answer, REFUSE) == 0 ? 1 : -1;
}

/* Once criu is gone, which puts the freezer back as it found it: frozen. */
static int thaw_after(void *data)
{
	const struct late_thaw *late = data;
	struct error ignored;

	setsid();
	while (late->criu > 1 && kill(late->criu, 0) == 0)
		wait_sleep(ORPHAN_INTERVAL_MS, &ignored);
	return dump_thaw(late->freezer, late->images, &ignored) < 0;
}

/* The freezer that the journal says was used for the dump. */
static void thaw(const struct journal *journal, const char *directory)
{
	json_object *arguments = undo_find(journal, undo_resume);
	CLEANUP(memory_release) char *images = memory_format("%s/images", directory);
	struct process process = PROCESS_NONE;
	struct late_thaw late = { .criu = criu, .images = images };
	struct error ignored;

	if (arguments == NULL)
		return;
	late.freezer = json_find_text(arguments, "freezer");
	if (late.freezer != NULL)
		process_fork(&process, thaw_after, &late, NULL, 0, &ignored);
}

/* What the journal says; without even its directory (a disk that is not mounted yet) it says nothing. */
static enum journal_state read_state(struct journal *journal, const char *id)
{
	struct error ignored;
	int found = journal_read(journal, id, &ignored);

	if (found < 0 || (found == 0 && !file_exists(JOURNAL_DIRECTORY)))
		return JOURNAL_UNKNOWN;
	return journal->state;
}

/* Nobody answers. Returns 0, 1, or -1: wait. */
static int decide(const char *id, const char *directory, const char *stage)
{
	CLEANUP(journal_release) struct journal journal = JOURNAL_NONE;
	bool dump = strcmp(stage, HOOK_POST_RESTORE) != 0;

	switch (protocol_orphan(dump, read_state(&journal, id))) {
	case ORPHAN_WAITS:
		return -1;
	case ORPHAN_PROCEEDS:
		return 0;
	default:
		if (dump && journal.records != NULL)
			thaw(&journal, directory);
		return 1;
	}
}

/* The restored namespace is there, its sockets are not yet. */
static int raise_loopback(void)
{
	const char *pid = getenv("CRTOOLS_INIT_PID");
	struct error ignored;

	if (pid == NULL || network_enter((pid_t)strtol(pid, NULL, 10), &ignored) < 0)
		return 1;
	return network_raise("lo", true, &ignored) < 0;
}

static bool is_reported(const char *stage)
{
	static const char *const reported[] = { HOOK_PRE_DUMP, HOOK_POST_DUMP, HOOK_POST_RESTORE,
						HOOK_POST_RESUME };

	for (size_t i = 0; i < COUNT_OF(reported); i++)
		if (strcmp(stage, reported[i]) == 0)
			return true;
	return false;
}

int hook_main(const char *path)
{
	CLEANUP(memory_release) char *directory = file_parent(path);
	const char *stage = getenv("CRTOOLS_SCRIPT_ACTION");
	const char *id = strrchr(directory, '/') + 1;

	if (stage == NULL)
		return 0;
	criu = getppid();
	if (strcmp(stage, HOOK_SETUP_NAMESPACES) == 0 && getenv(RUNTIME_LOOPBACK) != NULL)
		return raise_loopback();
	if (!is_reported(stage))
		return 0;
	for (;;) {
		struct error ignored;
		int answer = hook_ask(directory, stage);

		if (answer < 0 && strcmp(stage, HOOK_POST_RESUME) == 0)
			return 0;
		if (answer < 0)
			answer = decide(id, directory, stage);
		if (answer >= 0)
			return answer;
		wait_sleep(ORPHAN_INTERVAL_MS, &ignored);
	}
}
