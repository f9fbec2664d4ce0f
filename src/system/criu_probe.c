// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking criu what it can do without leaving a trace on the node. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/offload.h"
#include "base/process.h"
#include "system/criu_probe.h"

/* `criu check` takes 0.03 s, after boot some 0.5 s for the probing that it remembers. */
#define CRIU_TIMEOUT_MS 20000

/* The first criu that keeps the options which runtimes pass, and that restores on kernels since 5.x. */
#define CRIU_VERSION_LEAST 31700

/* Older ones do not find the lock again that they restored. */
#define CRIU_VERSION_NFTABLES 40200

/* Where criu remembers what it probed, compiled into it. */
#define CACHE "/run/criu.kdat"
#define CACHE_LIMIT (1 << 20)

#define WORK "/run/vzmigrate-criu"
#define CPU_IMAGE WORK "/cpuinfo.img"

/* One run of criu in a child whose /run is a tmpfs of its own. */
struct apart {
	const char *const *argv;
	const struct text *before; /* becomes CPU_IMAGE; NULL: none */
	struct result {
		size_t length;
		char bytes[CRIU_CPU_IMAGE_MAX];
	} * result; /* shared: what CPU_IMAGE is afterwards; NULL when nobody asks */
};

/* criu would probe everything again without its cache. */
static int make_own_run(struct error *err)
{
	CLEANUP(text_release) struct text cache = { 0 };
	struct error ignored;
	int cached = file_read(CACHE, CACHE_LIMIT, &cache, &ignored);

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("vzmigrate", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0 ||
	    mkdir(WORK, 0700) < 0)
		return error_system(err, "cannot run criu apart");
	return cached < 0 ? 0 : file_write(CACHE, &cache, 0600, err);
}

static int run_apart(const void *data, struct error *err)
{
	const struct apart *apart = data;
	struct process_options options = { .argv = apart->argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text image = { 0 };

	if (make_own_run(err) < 0 ||
	    (apart->before != NULL && file_write(CPU_IMAGE, apart->before, 0600, err) < 0) ||
	    process_run(&options, CRIU_TIMEOUT_MS, NULL, err) < 0)
		return -1;
	if (apart->result == NULL)
		return 0;
	if (file_read(CPU_IMAGE, CRIU_CPU_IMAGE_MAX, &image, err) < 0)
		return -1;
	memcpy(apart->result->bytes, text_string(&image), image.length);
	apart->result->length = image.length;
	return 0;
}

int criu_version(struct error *err)
{
	static const char *const argv[] = { "criu", "--version", NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text output = { 0 };
	int major = 0;
	int minor = 0;
	int patch = 0;

	if (process_run(&options, CRIU_TIMEOUT_MS, &output, err) < 0)
		return -1;
	if (sscanf(text_string(&output), "Version: %d.%d.%d", &major, &minor, &patch) < 2 ||
	    major < 0 || major > 1000 || minor < 0 || minor > 99 || patch < 0 || patch > 99)
		return error_set(err, "'criu --version' does not tell its version");
	return major * 10000 + minor * 100 + patch;
}

int criu_usable(struct error *err)
{
	static const char *const argv[] = { "criu", "check", NULL };
	struct apart apart = { .argv = argv };
	int version = criu_version(err);

	if (version >= 0 && version < CRIU_VERSION_LEAST)
		version = error_set(err, "criu %d.%d is too old; install %d.%d or newer",
				    version / 10000, version / 100 % 100,
				    CRIU_VERSION_LEAST / 10000, CRIU_VERSION_LEAST / 100 % 100);
	if (version >= 0 && offload(run_apart, &apart, err) == 0)
		return 0;
	error_context(err, "criu is not usable");
	return error_default(err, EXIT_RUNTIME);
}

bool criu_warm(void)
{
	static const char *const argv[] = { "criu", "check", "--feature", "network_lock_nftables",
					    NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(memory_release) char *nft = process_find("nft");
	struct error ignored;

	/* nft(8) is what takes the lock away when criu was killed. */
	return process_run(&options, CRIU_TIMEOUT_MS, NULL, &ignored) == 0 && nft != NULL &&
	       criu_version(&ignored) >= CRIU_VERSION_NFTABLES;
}

int criu_dump_cpu(struct text *image, struct error *err)
{
	static const char *const argv[] = { "criu", "cpuinfo", "dump", "-D", WORK, NULL };
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct apart apart = { .argv = argv, .result = result };
	int outcome;

	if (result == MAP_FAILED)
		return error_system(err, "cannot get memory");
	outcome = offload(run_apart, &apart, err);
	if (outcome == 0)
		text_append(image, result->bytes, result->length);
	munmap(result, sizeof(*result));
	return outcome;
}

int criu_check_cpu(const struct text *image, struct error *err)
{
	/* "ins": every instruction set that a running program may have found. */
	static const char *const argv[] = { "criu", "cpuinfo",	     "check", "-D",
					    WORK,   "--cpu-cap=ins", NULL };
	struct apart apart = { .argv = argv, .before = image };

	if (offload(run_apart, &apart, err) == 0)
		return 0;
	return err->exit_status == EXIT_INTERRUPTED ? -1 : error_default(err, EXIT_CPU);
}
