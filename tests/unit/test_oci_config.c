// SPDX-License-Identifier: GPL-2.0-or-later
/* config.json of an OCI bundle: what is understood, what is refused, and what is moved to another place. */
#include "unit.h"

#include <string.h>

#include "base/memory.h"
#include "runtime/oci_config.h"

/* In single quotes, for the eyes. */
static const char sample[] =
	"{'ociVersion':'1.0.2','hostname':'web','process':{'terminal':false,'args':['sh'],"
	"'rlimits':[{'type':'RLIMIT_CORE','hard':18446744073709551615,'soft':0}]},"
	"'root':{'path':'rootfs','readonly':true},"
	"'mounts':[{'destination':'/proc','type':'proc','source':'proc'},"
	"{'destination':'/data','source':'/srv/data','options':['rbind','rw']},"
	"{'destination':'/more','type':'bind','source':'more'},"
	"{'destination':'/disk','type':'ext4','source':'/dev/sdb1'}],"
	"'hooks':{'prestart':[{'path':'/usr/bin/hook'}]},"
	"'linux':{'cgroupsPath':'/"
	"web','uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
	"'gidMappings':[{'containerID':0,'hostID':200000,'size':65536}],"
	"'devices':[{'path':'/dev/fuse','type':'c'}],"
	"'namespaces':[{'type':'pid'},{'type':'network','path':'/run/netns/"
	"web'},{'type':'user'}]}}";

/* Double quotes; the caller frees. */
static char *quote(const char *text)
{
	char *quoted = memory_duplicate(text);

	for (char *at = quoted; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return quoted;
}

static int parse(struct oci_config *config, const char *text, struct error *err)
{
	CLEANUP(memory_release) char *quoted = quote(text);

	return oci_config_parse(config, quoted, strlen(quoted), err);
}

static void test_understood(void **state)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(&config, sample, &err), 0);
	assert_string_equal(config.rootfs, "rootfs");
	assert_string_equal(config.hostname, "web");
	assert_string_equal(config.cgroups_path, "/web");
	assert_false(config.terminal);
	assert_true(config.own_pids);
	assert_true(config.own_users);
	assert_null(config.joined);
	assert_int_equal(config.network, OCI_NETWORK_NAMED);
	assert_string_equal(config.network_path, "/run/netns/web");
	assert_int_equal(config.range_count, 2);
	assert_false(config.ranges[0].group);
	assert_int_equal(config.ranges[0].outside, 100000);
	assert_true(config.ranges[1].group);
	assert_int_equal(config.ranges[1].outside, 200000);
	assert_int_equal(config.binds.count, 2);
	assert_string_equal(config.binds.items[0], "/srv/data");
	assert_string_equal(config.binds.items[1], "more");
	assert_int_equal(config.devices.count, 1);
	assert_string_equal(config.devices.items[0], "/dev/sdb1");
	assert_int_equal(config.nodes.count, 1);
	assert_int_equal(config.files.count, 1);
}

static void test_least(void **state)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(&config, " {'root':{'path':'/srv/tree'},'linux':null} \n", &err), 0);
	assert_string_equal(config.rootfs, "/srv/tree");
	assert_int_equal(config.network, OCI_NETWORK_NODE);
	assert_false(config.own_pids);
	assert_null(config.hostname);
}

static void test_namespaces(void **state)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(
		parse(&config,
		      "{'root':{'path':'r'},'linux':{'namespaces':[{'type':'network','path':''},"
		      "{'type':'pid','path':'/proc/1/ns/pid'},{'type':'ipc'}]}}",
		      &err),
		0);
	assert_int_equal(config.network, OCI_NETWORK_PRIVATE);
	assert_false(config.own_pids);
	assert_string_equal(config.joined, "pid");
}

static void assert_refused(const char *text, const char *named)
{
	struct oci_config config = { 0 };
	struct error err = { 0 };

	assert_int_equal(parse(&config, text, &err), -1);
	if (strstr(err.text, named) == NULL)
		fail_msg("'%s' is not in: %s", named, err.text);
	assert_null(config.root);
	assert_null(config.rootfs);
}

static void test_hostile(void **state)
{
	static const char *const pieces[][3] = {
		{ "'path':'rootfs',", "", "path" },
		{ "'rootfs'", "7", "path" },
		{ "'rootfs'", "''", "root.path" },
		{ "'rootfs'", "'a\\u0000b'", "path" },
		{ "{'path':'rootfs','readonly':true}", "[]", "root" },
		{ "'web','process'", "{},'process'", "hostname" },
		{ "'terminal':false", "'terminal':'no'", "terminal" },
		{ "'/web'", "[]", "cgroupsPath" },
		{ "'containerID':0", "'containerID':-1", "containerID" },
		{ "'hostID':100000", "'hostID':4294967296", "hostID" },
		{ "'hostID':100000", "'hostID':4294967290", "beyond" },
		{ "'size':65536", "'size':0", "size" },
		{ "[{'type':'pid'}", "[7", "type" },
		{ "[{'type':'pid'}", "[{'type':'network'}", "twice" },
		{ "'/run/netns/web'", "[]", "path" },
		{ "'/srv/data'", "''", "bind mount without" },
		{ "'/srv/data'", "{}", "source" },
		{ "[{'destination':'/proc','type':'proc','source':'proc'}", "['x'", "mounts" },
		{ "['rbind','rw']", "'rbind'", "options" },
		{ "'/usr/bin/hook'", "1", "path" },
		{ "[{'path':'/usr/bin/hook'}]", "{}", "prestart" },
		{ "'/dev/fuse'", "'/dev/x]:y'", "brackets" },
		{ "'/dev/fuse'", "'/dev/../x'", "path" },
		{ "'/dev/fuse'", "'/dev/a\\nexternal mnt[b'", "brackets" },
		{ "{'ociVersion'", "['ociVersion'", "JSON" },
		{ "{'type':'user'}]}}", "{'type':'user'}]}", "middle" },
		{ "{'type':'user'}]}}", "{'type':'user'}]}}{}", "follows" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		const char *at = strstr(sample, pieces[i][0]);
		CLEANUP(memory_release) char *text = NULL;

		assert_non_null(at);
		text = memory_format("%.*s%s%s", (int)(at - sample), sample, pieces[i][1],
				     at + strlen(pieces[i][0]));
		assert_refused(text, pieces[i][2]);
	}
	assert_refused("", "middle");
	assert_refused("[]", "object");
	assert_refused("\xff\xfe{}", "JSON");
	assert_refused("{'root':{'path':'\xff'}}", "JSON");
}

/* Deep, wide and long ones end in an error, not in a crash. */
static void test_large(void **state)
{
	CLEANUP(text_release) struct text deep = { 0 };
	CLEANUP(text_release) struct text wide = { 0 };
	CLEANUP(text_release) struct text zero = { 0 };
	struct oci_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		text_format(&deep, "[");
	assert_refused(deep.bytes, "JSON");
	text_format(&wide, "{'root':{'path':'r'},'mounts':[");
	for (int i = 0; i < 5000; i++)
		text_format(&wide, "%s{}", i > 0 ? "," : "");
	text_format(&wide, "]}");
	assert_refused(wide.bytes, "more than");
	text_append(&zero, "{\"root\":{\"path\":\"r\"}}\0{}", 24);
	assert_int_equal(oci_config_parse(&config, zero.bytes, zero.length, &err), -1);
	assert_int_equal(oci_config_parse(&config, "{}", OCI_CONFIG_SIZE_MAX + 1, &err), -1);
}

static const char *text_at(struct oci_config *config, const char *part, size_t index,
			   const char *name)
{
	json_object *object = NULL;
	json_object *member = NULL;

	assert_true(json_object_object_get_ex(config->root, part, &object));
	if (json_object_is_type(object, json_type_array))
		object = json_object_array_get_idx(object, index);
	assert_true(json_object_object_get_ex(object, name, &member));
	return json_object_get_string(member);
}

static void test_moved(void **state)
{
	static const char text[] = "{'root':{'path':'/b/old/rootfs'},'x':18446744073709551615,"
				   "'mounts':[{'source':'/b/old/data','options':['bind']},"
				   "{'source':'/b/older','options':['bind']},{'source':'/b/old/../"
				   "x','options':['bind']}]}";
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(&config, text, &err), 0);
	assert_int_equal(oci_config_move(&config, "/b/old", "/c/new"), 1);
	assert_string_equal(text_at(&config, "root", 0, "path"), "/c/new/rootfs");
	assert_string_equal(text_at(&config, "mounts", 0, "source"), "/c/new/data");
	assert_string_equal(text_at(&config, "mounts", 1, "source"), "/b/older");
	assert_string_equal(text_at(&config, "mounts", 2, "source"), "/b/old/../x");
	/* What is not understood stays, the largest number too. */
	assert_non_null(strstr(json_object_to_json_string(config.root), "18446744073709551615"));
	assert_int_equal(oci_config_move(&config, "/b/old", "/c/new"), 0);
	assert_int_equal(oci_config_set(&config, "root", "path", "/d"), 1);
	assert_string_equal(text_at(&config, "root", 0, "path"), "/d");
	oci_config_set(&config, NULL, "hostname", "other");
	assert_non_null(strstr(json_object_to_json_string(config.root), "\"hostname\": \"other\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understood), cmocka_unit_test(test_least),
		cmocka_unit_test(test_namespaces), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_large),	   cmocka_unit_test(test_moved),
	};

	return RUN_ALL(tests);
}
