// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a container will live on the destination, and the areas that are copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "migration/plan.h"
#include "node/staging.h"

static void fill(struct container *container, const char *private_area)
{
	*container = (struct container){
		.id = memory_duplicate("101"),
		.runtime = memory_duplicate("lxc"),
		.state = CONTAINER_RUNNING,
		.hostname = memory_duplicate("ct101"),
		.directory = memory_duplicate("/var/lib/lxc/101"),
		.private_area = memory_duplicate(private_area),
		.init_pid = 4711,
	};
}

static void test_private_area_inside(void **state)
{
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };
	CLEANUP(areas_release) struct areas areas = { 0 };

	(void)state;
	fill(&from, "/var/lib/lxc/101/rootfs");
	plan_target(&to, &from, "101", "/srv/lxc");
	assert_string_equal(to.directory, "/srv/lxc/101");
	assert_string_equal(to.private_area, "/srv/lxc/101/rootfs");
	assert_int_equal(to.init_pid, 0);
	assert_int_equal(to.state, CONTAINER_STOPPED);
	areas_plan(&areas, &from, &to);
	assert_int_equal(areas.count, 1);
	assert_string_equal(areas.items[0].source, "/var/lib/lxc/101");
	assert_string_equal(areas.items[0].staging, "/srv/lxc/.101.vzmigrate");
	assert_string_equal(areas.items[0].final, "/srv/lxc/101");
}

static void test_private_area_elsewhere(void **state)
{
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };
	CLEANUP(areas_release) struct areas areas = { 0 };

	(void)state;
	fill(&from, "/vz/private/101");
	plan_target(&to, &from, "101", "/var/lib/lxc");
	assert_string_equal(to.private_area, "/vz/private/101");
	areas_plan(&areas, &from, &to);
	assert_int_equal(areas.count, 2);
	assert_string_equal(areas.items[1].source, "/vz/private/101");
	assert_string_equal(areas.items[1].staging, "/vz/private/.101.vzmigrate");
}

/* A directory whose name only begins alike is not inside. */
static void test_neighbour_is_not_inside(void **state)
{
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };

	(void)state;
	fill(&from, "/var/lib/lxc/101-root");
	plan_target(&to, &from, "101", "/srv/lxc");
	assert_string_equal(to.private_area, "/var/lib/lxc/101-root");
}

static void test_areas_cross_the_wire(void **state)
{
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };
	CLEANUP(areas_release) struct areas areas = { 0 };
	CLEANUP(areas_release) struct areas got = { 0 };
	json_object *list;
	struct error err;

	(void)state;
	fill(&from, "/vz/private/101");
	plan_target(&to, &from, "101", "/var/lib/lxc");
	areas_plan(&areas, &from, &to);
	list = areas_to_json(&areas);
	assert_int_equal(areas_from_json(&got, list, &err), 0);
	assert_int_equal(got.count, 2);
	assert_string_equal(got.items[1].final, "/vz/private/101");
	json_object_put(list);
}

static void test_hostile_areas(void **state)
{
	static const char *const lists[] = {
		"[]",
		"[{}]",
		"[{\"source\":\"/a\",\"staging\":\"/b\",\"final\":\"/b\"}]",
		"[{\"source\":\"/a\",\"staging\":\"/../.b.vzmigrate\",\"final\":\"/../b\"}]",
		"[{\"source\":\"/a\",\"staging\":\"/x/.b.vzmigrate\",\"final\":\"x/b\"}]",
		"[{\"source\":\"/a\",\"staging\":\"/.vzmigrate\",\"final\":\"/\"}]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		CLEANUP(areas_release) struct areas areas = { 0 };
		json_object *list = json_tokener_parse(lists[i]);
		struct error err;

		assert_non_null(list);
		assert_int_equal(areas_from_json(&areas, list, &err), -1);
		json_object_put(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_area_inside),
		cmocka_unit_test(test_private_area_elsewhere),
		cmocka_unit_test(test_neighbour_is_not_inside),
		cmocka_unit_test(test_areas_cross_the_wire),
		cmocka_unit_test(test_hostile_areas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
