// SPDX-License-Identifier: GPL-2.0-or-later
/* Container: ids, copies, and the JSON that a peer may have written. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runtime/container.h"
#include "unit.h"

static const char sample[] =
	"{\"id\":\"101\",\"runtime\":\"lxc\",\"state\":\"running\",\"hostname\":\"ct101\","
	"\"directory\":\"/var/lib/lxc/101\",\"private_area\":\"/var/lib/lxc/101/"
	"rootfs\",\"root\":null,"
	"\"init_pid\":42,"
	"\"ranges\":[{\"group\":false,\"inside\":0,\"outside\":100000,\"count\":65536},"
	"{\"group\":true,\"inside\":0,\"outside\":200000,\"count\":65536}],"
	"\"devices\":[{\"type\":\"veth\",\"name\":\"eth0\",\"bridge\":\"br0\",\"host_name\":null,"
	"\"mac\":\"00:16:3e:00:01:65\",\"mtu\":1500,\"addresses\":[\"10.0.0.5/24\",\"fd00::5/"
	"64\"]}],"
	"\"includes\":[\"/usr/share/lxc/config/common.conf\"],\"mount_sources\":[\"/srv/data\"],"
	"\"network_namespace\":\"/run/netns/ct101\","
	"\"routes\":[\"inet default via 10.0.0.1 dev eth0\"]}";

static int parse(struct container *container, const char *text, struct error *err)
{
	CLEANUP(json_release) json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return container_from_json(container, object, err);
}

static void test_round_trip(void **state)
{
	CLEANUP(container_release) struct container container = { 0 };
	CLEANUP(container_release) struct container copy = { 0 };
	CLEANUP(json_release) json_object *object = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(&container, sample, &err), 0);
	container_copy(&copy, &container);
	object = container_to_json(&copy);
	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE),
		sample);
	assert_int_equal(copy.state, CONTAINER_RUNNING);
	assert_int_equal(container_root_uid(&copy), 100000);
	assert_int_equal(container_root_gid(&copy), 200000);
}

static void test_privileged_root(void **state)
{
	struct container container = { 0 };

	(void)state;
	assert_int_equal(container_root_uid(&container), 0);
	assert_int_equal(container_root_gid(&container), 0);
}

/* The sample with one piece replaced must be refused, and leave nothing behind. */
static void assert_refused(const char *piece, const char *replacement)
{
	CLEANUP(memory_release) char *text = NULL;
	struct container container = { 0 };
	struct error err = { 0 };
	const char *at = strstr(sample, piece);

	assert_non_null(at);
	text = memory_format("%.*s%s%s", (int)(at - sample), sample, replacement,
			     at + strlen(piece));
	assert_int_equal(parse(&container, text, &err), -1);
	assert_string_not_equal(err.text, "");
	assert_null(container.id);
}

static void test_hostile_peer(void **state)
{
	static const char *const pieces[][2] = {
		{ "\"id\":\"101\",", "" },
		{ "\"101\"", "101" },
		{ "\"101\"", "\"../101\"" },
		{ "\"101\"", "\"10\\u00001\"" },
		{ "\"lxc\"", "\"LXC; reboot\"" },
		{ "\"running\"", "\"walking\"" },
		{ "\"ct101\"", "\"ct\\n101\"" },
		{ "/var/lib/lxc/101\"", "/var/lib/../101\"" },
		{ "/var/lib/lxc/101\"", "var/lib/lxc\"" },
		{ "/var/lib/lxc/101/rootfs", "/" },
		{ "/var/lib/lxc/101/rootfs", "/a/.." },
		{ "42", "-1" },
		{ "42", "\"42\"" },
		{ "65536", "0" },
		{ "65536", "4294967295" },
		{ "100000", "4294967296" },
		{ "\"ranges\":[{", "\"ranges\":[7,{" },
		{ "\"eth0\"", "\"eth0/../x\"" },
		{ "\"eth0\"", "\"a-name-that-is-too-long\"" },
		{ "\"br0\"", "\"br0]:x\"" },
		{ "\"br0\"", "7" },
		{ "00:16:3e:00:01:65", "00:16:3e:00:01:6g" },
		{ "00:16:3e:00:01:65", "00:16:3e:00:01" },
		{ "10.0.0.5/24", "10.0.0.5/33" },
		{ "10.0.0.5/24", "10.0.0.500/24" },
		{ "fd00::5/64", "fd00::5/129" },
		{ "fd00::5/64", "fd00::5/" },
		{ "\"/srv/data\"", "\"/srv/../etc\"" },
		{ "\"/srv/data\"", "{}" },
		{ "1500", "-1" },
		{ "1500", "100000" },
		{ "/run/netns/ct101", "/run/netns/../x" },
		{ "/run/netns/ct101", "ct101" },
		{ "inet default", "default" },
		{ "inet default", "inet -batch" },
		{ "via 10.0.0.1", "via $(reboot)" },
		{ "via 10.0.0.1", "via\\n10.0.0.1" },
		{ "\"includes\":[\"/usr/share/lxc/config/common.conf\"]", "\"includes\":\"/x\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		assert_refused(pieces[i][0], pieces[i][1]);
}

static void test_no_object(void **state)
{
	struct container container = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(&container, "[]", &err), -1);
	assert_int_equal(container_from_json(&container, NULL, &err), -1);
}

static void test_too_many(void **state)
{
	CLEANUP(json_release) json_object *object = json_tokener_parse(sample);
	json_object *sources = NULL;
	struct container container = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_true(json_object_object_get_ex(object, "mount_sources", &sources));
	for (int i = 0; i < 5000; i++)
		json_object_array_add(sources, json_object_new_string("/srv"));
	assert_int_equal(container_from_json(&container, object, &err), -1);
}

static void test_ids(void **state)
{
	static const char *const good[] = { "101", "web-1", "a.b_c+d", "A", "/srv/bundles/web" };
	static const char *const bad[] = {
		"",	    ".", "..",	    "-n",  "a/b", "a b",  "a\nb",
		"\xc3\xa4", "/", "/a/../b", "/a/", "//a", "/./a", "/a\nb"
	};
	char longest[CONTAINER_ID_MAX + 2];
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(container_check_id(good[i], &err), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(container_check_id(bad[i], &err), -1);
		assert_int_equal(err.exit_status, EXIT_USAGE);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[CONTAINER_ID_MAX + 1] = '\0';
	assert_int_equal(container_check_id(longest, &err), -1);
	longest[CONTAINER_ID_MAX] = '\0';
	assert_int_equal(container_check_id(longest, &err), 0);
}

static void test_rename(void **state)
{
	static const struct {
		const char *text;
		const char *id;
		const char *new_id;
		const char *expected;
	} cases[] = {
		{ "101", "101", "201", "201" },
		{ "ct101.lan", "101", "201", "ct201.lan" },
		{ "veth101.0", "101", "7", "veth7.0" },
		{ "1012 2101 10101", "101", "201", "1012 2101 10101" },
		{ "101101", "101", "201", "101101" },
		{ "web.lan", "web", "db", "db.lan" },
		{ "webs aweb web1 web-1", "web", "db", "webs aweb web1 db-1" },
		{ "101-101", "101", "201", "201-201" },
		{ "", "101", "201", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(memory_release)
		char *renamed = container_rename(cases[i].text, cases[i].id, cases[i].new_id);

		assert_string_equal(renamed, cases[i].expected);
	}
}

/* A key is an id, is short, is no path, and tells paths apart. */
static void test_keys(void **state)
{
	static const char *const paths[] = { "/srv/web", "/srv-web", "/srv/w/eb", "/a b/\xc3\xa4",
					     "/srv/.web" };
	char longest[CONTAINER_PATH_MAX + 2];
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		CLEANUP(memory_release) char *key = container_key(paths[i]);
		CLEANUP(memory_release) char *again = container_key(key);

		assert_int_equal(container_check_id(key, &err), 0);
		assert_null(strchr(key, '/'));
		assert_string_equal(key, again);
		for (size_t k = 0; k < i; k++) {
			CLEANUP(memory_release) char *other = container_key(paths[k]);

			assert_string_not_equal(key, other);
		}
	}
	memset(longest, 'x', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(longest); i += 100)
		longest[i] = '/';
	longest[CONTAINER_PATH_MAX + 1] = '\0';
	assert_int_equal(container_check_id(longest, &err), -1);
	longest[CONTAINER_PATH_MAX] = '\0';
	assert_int_equal(container_check_id(longest, &err), 0);
	{
		CLEANUP(memory_release) char *key = container_key(longest);

		assert_int_equal(container_check_id(key, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_privileged_root),
		cmocka_unit_test(test_hostile_peer),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_keys),
	};

	return RUN_ALL(tests);
}
