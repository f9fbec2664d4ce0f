// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what runc and crun say of a container, and for telling them to do something. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/process.h"
#include "runtime/fence.h"
#include "runtime/oci.h"

const struct oci_program oci_runc = {
	.name = "runc",
	.root = "/run/runc",
	.record = "state.json",
	.dump_mark = "checkpoint",
	.empties_network = true,
	.beside_itself = true,
	.says_lazy = true,
};

const struct oci_program oci_crun = {
	.name = "crun",
	.root = "/run/crun",
	.record = "status",
	.binds_devices = true,
};

const struct oci_program *oci_program_of(const struct container *container)
{
	static const struct oci_program *const programs[] = { &oci_runc, &oci_crun };

	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (strcmp(container->runtime, programs[i]->name) == 0)
			return programs[i];
	return NULL;
}

void oci_state_release(struct oci_state *state)
{
	free(state->bundle);
	*state = (struct oci_state){ 0 };
}

/* The words of the specification, and "paused", which both add. */
static const struct {
	const char *word;
	enum container_state state;
} words_of_state[] = {
	{ "running", CONTAINER_RUNNING },
	{ "paused", CONTAINER_FROZEN },
	{ "stopped", CONTAINER_STOPPED },
};

static int read_status(const char *word, const char *id, struct oci_state *state, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(words_of_state); i++)
		if (strcmp(word, words_of_state[i].word) == 0) {
			state->state = words_of_state[i].state;
			return 0;
		}
	return error_exit(err, EXIT_VE_STOP,
			  "container '%s' is '%s': start it, or delete it, and try again", id,
			  word);
}

static int read_answer(const char *answer, const char *id, struct oci_state *state,
		       struct error *err)
{
	CLEANUP(json_release) json_object *object = json_tokener_parse(answer);
	const char *word = json_get_text(object, "status", 32, err);
	const char *bundle = word != NULL ? json_get_path(object, "bundle", err) : NULL;
	int64_t pid = 0;

	if (bundle == NULL || read_status(word, id, state, err) < 0)
		return -1;
	if (state->state != CONTAINER_STOPPED &&
	    json_get_number(object, "pid", 1, INT32_MAX, &pid, err) < 0)
		return -1;
	state->init_pid = (pid_t)pid;
	state->bundle = memory_duplicate(bundle);
	state->known = true;
	return 0;
}

int oci_state_read(const struct oci_program *program, const char *id, struct oci_state *state,
		   struct error *err)
{
	const char *const argv[] = { program->name, "state", id, NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(memory_release)
	char *record = memory_format("%s/%s/%s", program->root, id, program->record);
	CLEANUP(text_release) struct text answer = { 0 };
	CLEANUP(oci_state_release) struct oci_state read = { 0 };

	/* Asked for what they do not know, both only fail. */
	if (!file_exists(record))
		return 0;
	if (process_run(&options, OCI_ANSWER_TIMEOUT_MS, &answer, err) < 0)
		return file_exists(record)
			       ? error_context(err, "cannot learn the state of container '%s'", id)
			       : 0;
	if (read_answer(text_string(&answer), id, &read, err) < 0)
		return error_context(err, "'%s state'", program->name);
	*state = read;
	read = (struct oci_state){ 0 };
	return 0;
}

int oci_run(const struct oci_program *program, const char *const *words, const char *id,
	    struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };

	words_add(&argv, program->name);
	words_add(&argv, words[0]);
	/* What follows the id is for the command: a signal's name. */
	if (words[1] != NULL && words[1][0] == '-') {
		words_add_all(&argv, words + 1);
		words_add(&argv, id);
	} else {
		words_add(&argv, id);
		words_add_all(&argv, words + 1);
	}
	options.argv = (const char *const *)argv.items;
	return process_run(&options, OCI_ANSWER_TIMEOUT_MS, NULL, err);
}

int oci_list_of(const struct oci_program *program, struct words *ids, struct error *err)
{
	const char *const argv[] = { program->name, "list", "-q", NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text answer = { 0 };
	char *rest;

	if (process_run(&options, OCI_ANSWER_TIMEOUT_MS, &answer, err) < 0)
		return error_context(err, "cannot list the containers of %s", program->name);
	rest = answer.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		struct error ignored;

		line = text_strip(line);
		if (*line != '/' && container_check_id(line, &ignored) == 0)
			words_add(ids, line);
	}
	return 0;
}

/* "slice:prefix:name" is systemd's; a path is not. */
void oci_add_cgroup_option(struct words *argv, const struct oci_config *config)
{
	const char *path = config->cgroups_path;
	const char *colon = path != NULL && path[0] != '/' ? strchr(path, ':') : NULL;

	if (colon != NULL && strchr(colon + 1, ':') != NULL)
		words_add(argv, "--systemd-cgroup");
}

int oci_config_of(const char *directory, struct oci_config *config, struct error *err)
{
	CLEANUP(memory_release) char *path = fence_path(directory, OCI_CONFIG_NAME);

	if (path == NULL)
		return error_set(err, "the bundle '%s' has no " OCI_CONFIG_NAME, directory);
	return oci_config_read(config, path, err);
}
