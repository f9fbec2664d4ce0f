// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for understanding config.json of an OCI bundle, and for distrusting it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "runtime/oci_config.h"
#include "runtime/outside.h"

/* Objects within objects; the specification has eight. */
#define DEPTH_MAX 32

#define MOUNTS_MAX 4096
#define NAMESPACES_MAX 32
#define RANGES_MAX 340
#define HOOKS_MAX 256
#define OPTIONS_MAX 256

static const char *const hook_points[] = { "prestart",	     "createRuntime", "createContainer",
					   "startContainer", "poststart",     "poststop" };

void oci_config_release(struct oci_config *config)
{
	json_object_put(config->root);
	free(config->rootfs);
	free(config->hostname);
	free(config->cgroups_path);
	free(config->joined);
	free(config->network_path);
	free(config->ranges);
	words_release(&config->binds);
	words_release(&config->devices);
	words_release(&config->nodes);
	words_release(&config->files);
	*config = (struct oci_config){ 0 };
}

/* A member that may be missing or null, but is of that type when it is there. Returns -1, 0, 1. */
static int find_member(json_object *object, const char *name, json_type type, json_object **member,
		       struct error *err)
{
	*member = NULL;
	if (object == NULL || !json_object_object_get_ex(object, name, member) || *member == NULL)
		return 0;
	if (!json_object_is_type(*member, type))
		return error_set(err, "'%s' is no %s", name, json_type_to_name(type));
	return 1;
}

/* A list that may be missing, within bounds. */
static int find_list(json_object *object, const char *name, size_t limit, json_object **list,
		     struct error *err)
{
	int found = find_member(object, name, json_type_array, list, err);

	if (found > 0 && json_object_array_length(*list) > limit)
		return error_set(err, "'%s' has more than %zu items", name, limit);
	return found;
}

/* A text that may be missing. */
static int find_text(json_object *object, const char *name, char **text, struct error *err)
{
	json_object *member;
	int found = find_member(object, name, json_type_string, &member, err);
	const char *value;

	if (found <= 0)
		return found;
	value = json_get_text(object, name, PATH_MAX - 1, err);
	if (value == NULL)
		return -1;
	*text = memory_duplicate(value);
	return 1;
}

static int parse_root(struct oci_config *config, struct error *err)
{
	json_object *root = json_get_object(config->root, "root", err);
	const char *path = root != NULL ? json_get_text(root, "path", PATH_MAX - 1, err) : NULL;

	if (path == NULL)
		return -1;
	if (*path == '\0')
		return error_set(err, "'root.path' is empty");
	config->rootfs = memory_duplicate(path);
	return 0;
}

static int parse_process(struct oci_config *config, struct error *err)
{
	json_object *process;
	json_object *terminal;

	if (find_member(config->root, "process", json_type_object, &process, err) < 0 ||
	    find_member(process, "terminal", json_type_boolean, &terminal, err) < 0)
		return -1;
	config->terminal = terminal != NULL && json_object_get_boolean(terminal);
	return 0;
}

static int parse_namespace(struct oci_config *config, json_object *item, struct error *err)
{
	CLEANUP(memory_release) char *path = NULL;
	const char *type = json_get_text(item, "type", 64, err);

	if (type == NULL || find_text(item, "path", &path, err) < 0)
		return -1;
	if (path != NULL && *path == '\0')
		memory_release(&path);
	if (strcmp(type, "user") == 0)
		config->own_users = true;
	if (strcmp(type, "network") == 0) {
		if (config->network != OCI_NETWORK_NODE)
			return error_set(err, "'linux.namespaces' names the network twice");
		config->network = path != NULL ? OCI_NETWORK_NAMED : OCI_NETWORK_PRIVATE;
		config->network_path = memory_steal(&path);
		return 0;
	}
	if (strcmp(type, "pid") == 0)
		config->own_pids = path == NULL;
	if (path != NULL && config->joined == NULL)
		config->joined = memory_duplicate(type);
	return 0;
}

static int parse_ranges(struct oci_config *config, json_object *linux_part, const char *name,
			bool group, struct error *err)
{
	json_object *list;
	size_t count;

	if (find_list(linux_part, name, RANGES_MAX, &list, err) <= 0)
		return list == NULL ? 0 : -1;
	count = json_object_array_length(list);
	config->ranges =
		memory_resize(config->ranges, config->range_count + count, sizeof(*config->ranges));
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		int64_t inside;
		int64_t outside;
		int64_t size;

		if (json_get_number(item, "containerID", 0, UINT32_MAX - 1, &inside, err) < 0 ||
		    json_get_number(item, "hostID", 0, UINT32_MAX - 1, &outside, err) < 0 ||
		    json_get_number(item, "size", 1, UINT32_MAX, &size, err) < 0)
			return error_context(err, "'linux.%s'", name);
		if (inside + size > UINT32_MAX || outside + size > UINT32_MAX)
			return error_set(err, "'linux.%s' has a range beyond all ids", name);
		config->ranges[config->range_count++] = (struct id_range){
			.group = group,
			.inside = (uint32_t)inside,
			.outside = (uint32_t)outside,
			.count = (uint32_t)size,
		};
	}
	return 0;
}

/* They become part of criu's options: one that could end an option there is no path of a device. */
static int parse_nodes(struct oci_config *config, json_object *linux_part, struct error *err)
{
	json_object *list;

	if (find_list(linux_part, "devices", MOUNTS_MAX, &list, err) < 0)
		return -1;
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		const char *path = json_get_path(json_object_array_get_idx(list, i), "path", err);

		if (path == NULL)
			return error_context(err, "'linux.devices'");
		if (strpbrk(path, "[]\n\r") != NULL)
			return error_set(err, "'linux.devices' has a path with brackets in it");
		words_add(&config->nodes, path);
	}
	return 0;
}

static int parse_linux(struct oci_config *config, struct error *err)
{
	json_object *part;
	json_object *namespaces;

	if (find_member(config->root, "linux", json_type_object, &part, err) < 0 ||
	    find_text(part, "cgroupsPath", &config->cgroups_path, err) < 0 ||
	    find_list(part, "namespaces", NAMESPACES_MAX, &namespaces, err) < 0)
		return -1;
	for (size_t i = 0; namespaces != NULL && i < json_object_array_length(namespaces); i++)
		if (parse_namespace(config, json_object_array_get_idx(namespaces, i), err) < 0)
			return -1;
	if (parse_nodes(config, part, err) < 0 ||
	    parse_ranges(config, part, "uidMappings", false, err) < 0)
		return -1;
	return parse_ranges(config, part, "gidMappings", true, err);
}

static int is_bind(json_object *mount, bool *bind, struct error *err)
{
	json_object *options;
	const char *type = json_find_text(mount, "type");

	*bind = type != NULL && strcmp(type, "bind") == 0;
	if (find_list(mount, "options", OPTIONS_MAX, &options, err) < 0)
		return -1;
	for (size_t i = 0; options != NULL && i < json_object_array_length(options); i++) {
		const char *option = json_object_get_string(json_object_array_get_idx(options, i));

		if (option != NULL && (strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0))
			*bind = true;
	}
	return 0;
}

static int parse_mount(struct oci_config *config, json_object *mount, struct error *err)
{
	CLEANUP(memory_release) char *source = NULL;
	CLEANUP(memory_release) char *type = NULL;
	bool bind;

	if (!json_object_is_type(mount, json_type_object))
		return error_set(err, "'mounts' has an item that is no object");
	if (find_text(mount, "source", &source, err) < 0 ||
	    find_text(mount, "type", &type, err) < 0 || is_bind(mount, &bind, err) < 0)
		return -1;
	if (bind) {
		if (source == NULL || *source == '\0')
			return error_set(err, "'mounts' has a bind mount without a source");
		words_add(&config->binds, source);
	} else if (source != NULL && source[0] == '/' &&
		   (type == NULL || !outside_is_kernel_type(type))) {
		words_add(&config->devices, source);
	}
	return 0;
}

static int parse_mounts(struct oci_config *config, struct error *err)
{
	json_object *list;

	if (find_list(config->root, "mounts", MOUNTS_MAX, &list, err) < 0)
		return -1;
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
		if (parse_mount(config, json_object_array_get_idx(list, i), err) < 0)
			return -1;
	return 0;
}

static int parse_hooks(struct oci_config *config, struct error *err)
{
	json_object *hooks;

	if (find_member(config->root, "hooks", json_type_object, &hooks, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(hook_points); i++) {
		json_object *list;

		if (find_list(hooks, hook_points[i], HOOKS_MAX, &list, err) < 0)
			return -1;
		for (size_t k = 0; list != NULL && k < json_object_array_length(list); k++) {
			const char *path = json_get_text(json_object_array_get_idx(list, k), "path",
							 PATH_MAX - 1, err);

			if (path == NULL)
				return error_context(err, "'hooks.%s'", hook_points[i]);
			words_add(&config->files, path);
		}
	}
	return 0;
}

/* The whole text is one object and nothing follows it. */
static int parse_json(struct oci_config *config, const char *text, size_t length, struct error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	enum json_tokener_error problem;
	size_t end;

	if (tokener == NULL)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	config->root = json_tokener_parse_ex(tokener, text, (int)length);
	problem = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (problem == json_tokener_continue)
		return error_set(err, "it ends in the middle");
	if (problem != json_tokener_success)
		return error_set(err, "it is no JSON (%s at byte %zu)",
				 json_tokener_error_desc(problem), end);
	if (end + strspn(text + end, " \t\r\n") < length)
		return error_set(err, "something follows the JSON in it");
	if (!json_object_is_type(config->root, json_type_object))
		return error_set(err, "it is no JSON object");
	return 0;
}

int oci_config_parse(struct oci_config *config, const char *text, size_t length, struct error *err)
{
	if (length > OCI_CONFIG_SIZE_MAX)
		return error_set(err, "it is longer than %d bytes", OCI_CONFIG_SIZE_MAX);
	if (parse_json(config, text, length, err) == 0 && parse_root(config, err) == 0 &&
	    parse_process(config, err) == 0 &&
	    find_text(config->root, "hostname", &config->hostname, err) >= 0 &&
	    parse_linux(config, err) == 0 && parse_mounts(config, err) == 0 &&
	    parse_hooks(config, err) == 0)
		return 0;
	oci_config_release(config);
	return -1;
}

int oci_config_read(struct oci_config *config, const char *path, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };

	if (file_read(path, OCI_CONFIG_SIZE_MAX, &content, err) < 0)
		return -1;
	if (oci_config_parse(config, text_string(&content), content.length, err) < 0)
		return error_context(err, "cannot understand '%s'", path);
	return 0;
}

/* Replaces the text member of an object; returns 1 when it was one to be moved. */
static int move_member(json_object *object, const char *name, const char *from, const char *to)
{
	const char *path = json_find_text(object, name);

	if (path == NULL || !file_path_is_plain(path) || !file_path_below(path, from))
		return 0;
	{
		CLEANUP(memory_release)
		char *moved = memory_format("%s%s", to, path + strlen(from));

		json_add_text(object, name, moved);
	}
	return 1;
}

int oci_config_move(struct oci_config *config, const char *from, const char *to)
{
	json_object *root = NULL;
	json_object *mounts = NULL;
	int changed = 0;

	json_object_object_get_ex(config->root, "root", &root);
	json_object_object_get_ex(config->root, "mounts", &mounts);
	changed |= move_member(root, "path", from, to);
	for (size_t i = 0; mounts != NULL && i < json_object_array_length(mounts); i++)
		changed |= move_member(json_object_array_get_idx(mounts, i), "source", from, to);
	return changed;
}

int oci_config_set(struct oci_config *config, const char *part, const char *name, const char *text)
{
	json_object *object = config->root;

	if (part != NULL)
		json_object_object_get_ex(config->root, part, &object);
	json_add_text(object, name, text);
	return 1;
}
