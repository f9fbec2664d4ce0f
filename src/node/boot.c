// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for telling one boot of this node from another. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/boot.h"

#define FILE_LIMIT 4096

/* /proc/PID/stat: the 20th field after the name in parentheses is the start time (proc(5)). */
#define START_TIME_FIELD 20

/* A node may itself be a container: then its own first process counts, not only the kernel's boot. */
static char *this_boot(void)
{
	CLEANUP(text_release) struct text kernel = { 0 };
	CLEANUP(text_release) struct text first = { 0 };
	struct error ignored;
	const char *at;

	file_read("/proc/sys/kernel/random/boot_id", FILE_LIMIT, &kernel, &ignored);
	file_read("/proc/1/stat", FILE_LIMIT, &first, &ignored);
	at = strrchr(text_string(&first), ')');
	for (int field = 0; at != NULL && field < START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return memory_format("%.*s%.*s", (int)strcspn(text_string(&kernel), "\n"),
			     text_string(&kernel), at != NULL ? (int)strcspn(at + 1, " ") + 1 : 0,
			     at != NULL ? at : "");
}

void boot_note(json_object *header)
{
	CLEANUP(memory_release) char *boot = this_boot();

	json_add_text(header, "boot", boot);
}

bool boot_is_same(json_object *header)
{
	CLEANUP(memory_release) char *boot = this_boot();
	const char *noted = json_find_text(header, "boot");

	return noted != NULL && strcmp(noted, boot) == 0;
}
