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

static const struct migration_request same = { .id = (char *)(uintptr_t) "101" };
static struct error failure;

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
	assert_int_equal(plan_target(&to, &from, &same, "/srv/lxc/101", &failure), 0);
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
	assert_int_equal(plan_target(&to, &from, &same, "/var/lib/lxc/101", &failure), 0);
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
	assert_int_equal(plan_target(&to, &from, &same, "/srv/lxc/101", &failure), 0);
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
	assert_int_equal(plan_target(&to, &from, &same, "/var/lib/lxc/101", &failure), 0);
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

/* What names the old id names the new one; the MAC stays. */
static void test_new_id(void **state)
{
	static const struct migration_request request = {
		.id = (char *)(uintptr_t) "101",
		.new_id = (char *)(uintptr_t) "201",
	};
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };

	(void)state;
	fill(&from, "/vz/101/private/101");
	from.root = memory_duplicate("/vz/root/101");
	from.devices = memory_allocate(1, sizeof(*from.devices));
	from.device_count = 1;
	from.devices[0] = (struct network_device){
		.type = memory_duplicate("veth"),
		.name = memory_duplicate("eth0"),
		.host_name = memory_duplicate("veth101.0"),
		.mac = memory_duplicate("00:16:3e:00:01:65"),
	};
	assert_int_equal(plan_target(&to, &from, &request, "/var/lib/lxc/201", &failure), 0);
	assert_string_equal(to.id, "201");
	assert_string_equal(to.directory, "/var/lib/lxc/201");
	assert_string_equal(to.private_area, "/vz/201/private/201");
	assert_string_equal(to.root, "/vz/root/201");
	assert_string_equal(to.hostname, "ct201");
	assert_string_equal(to.devices[0].host_name, "veth201.0");
	assert_string_equal(to.devices[0].mac, "00:16:3e:00:01:65");
	assert_string_equal(to.devices[0].name, "eth0");
}

/* The paths of the command line, and where they cannot be. */
static void test_new_paths(void **state)
{
	struct migration_request request = {
		.id = (char *)(uintptr_t) "101",
		.private_area = (char *)(uintptr_t) "/pool/a",
		.root = (char *)(uintptr_t) "/mnt/r",
	};
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(container_release) struct container to = { 0 };
	CLEANUP(areas_release) struct areas areas = { 0 };

	(void)state;
	fill(&from, "/var/lib/lxc/101/rootfs");
	assert_int_equal(plan_target(&to, &from, &request, "/var/lib/lxc/101", &failure), 0);
	assert_string_equal(to.private_area, "/pool/a");
	assert_string_equal(to.root, "/mnt/r");
	areas_plan(&areas, &from, &to);
	assert_int_equal(areas.count, 2);
	assert_string_equal(areas.items[0].except, "/rootfs");
	assert_string_equal(areas.items[1].source, "/var/lib/lxc/101/rootfs");
	assert_string_equal(areas.items[1].staging, "/pool/.a.vzmigrate");
	container_release(&from);
	fill(&from, "/vz/private/101");
	request.private_area = (char *)(uintptr_t) "/var/lib/lxc/101/rootfs";
	assert_int_equal(plan_target(&to, &from, &request, "/var/lib/lxc/101", &failure), -1);
	assert_int_equal(failure.exit_status, EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_area_inside),
		cmocka_unit_test(test_private_area_elsewhere),
		cmocka_unit_test(test_neighbour_is_not_inside),
		cmocka_unit_test(test_areas_cross_the_wire),
		cmocka_unit_test(test_hostile_areas),
		cmocka_unit_test(test_new_id),
		cmocka_unit_test(test_new_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
