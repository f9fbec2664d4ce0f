// SPDX-License-Identifier: GPL-2.0-or-later
/* LXC's configuration: reading, includes and their bounds, rewriting for another place. */
#include <string.h>

#include "runtime/lxc.h"
#include "temporary.h"

/* Writes a file below the test's directory; @ in the text is that directory. */
static char *put(const char *name, const char *text)
{
	CLEANUP(text_release) struct text content = { 0 };

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '@')
			text_format(&content, "%s", temporary);
		else
			text_append(&content, at, 1);
	}
	return put_file(name, text_string(&content));
}

static void test_values(void **state)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release)
	char *path = put("config",
			 "# comment\n\n  lxc.uts.name=first\nlxc.uts.name =  \"second one\" \n"
			 "lxc.cap.drop = a\nlxc.cap.drop =\nlxc.cap.drop = b\nlxc.cap.drop = c=d\n"
			 "lxc.net.10.type = veth\nlxc.net.2.type = empty\nlxc.net.10.link = br0\n"
			 "lxc.environment = X='1'\r\nlxc.last = end");
	CLEANUP(words_release) struct words drops = { 0 };
	unsigned int numbers[4];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(lxc_config_read(&config, path, &err), 0);
	assert_string_equal(lxc_config_get(&config, "lxc.uts.name"), "second one");
	assert_string_equal(lxc_config_get(&config, "lxc.environment"), "X='1'");
	assert_string_equal(lxc_config_get(&config, "lxc.last"), "end");
	assert_null(lxc_config_get(&config, "lxc.uts"));
	lxc_config_list(&config, "lxc.cap.drop", &drops);
	assert_int_equal(drops.count, 2);
	assert_string_equal(drops.items[1], "c=d");
	assert_int_equal(lxc_config_networks(&config, numbers, 4), 2);
	assert_int_equal(numbers[0], 2);
	assert_int_equal(numbers[1], 10);
	assert_string_equal(lxc_config_network(&config, 10, "link"), "br0");
	assert_null(lxc_config_network(&config, 1, "link"));
}

static void test_reset_below(void **state)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release)
	char *path = put("config", "lxc.net.0.type = veth\nlxc.network = x\nlxc.net =\n"
				   "lxc.net.1.type = empty\n");
	unsigned int numbers[4];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(lxc_config_read(&config, path, &err), 0);
	assert_int_equal(lxc_config_networks(&config, numbers, 4), 1);
	assert_int_equal(numbers[0], 1);
	assert_non_null(lxc_config_get(&config, "lxc.network"));
}

static void test_includes(void **state)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *below = in_temporary("below");
	CLEANUP(memory_release) char *a = NULL;
	CLEANUP(memory_release) char *b = NULL;
	CLEANUP(memory_release) char *other = NULL;
	CLEANUP(memory_release)
	char *path = put("config", "lxc.a = 1\nlxc.include = @/below/\nlxc.c = 3\n");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(file_make_directory(below, 0755, &err), 1);
	a = put("below/1.conf", "lxc.a = 2\n");
	b = put("below/2.conf", "lxc.b = 2\n");
	other = put("below/readme", "no setting at all");
	assert_int_equal(lxc_config_read(&config, path, &err), 0);
	assert_string_equal(lxc_config_get(&config, "lxc.a"), "2");
	assert_string_equal(lxc_config_get(&config, "lxc.c"), "3");
	assert_int_equal(config.files.count, 3);
	assert_string_equal(config.files.items[1], a);
	assert_string_equal(config.items[1].file, a);
}

static void assert_unreadable(const char *text)
{
	struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *path = put("config", text);
	struct error err = { 0 };

	assert_int_equal(lxc_config_read(&config, path, &err), -1);
	assert_string_not_equal(err.text, "");
	assert_null(config.items);
}

static void test_broken(void **state)
{
	CLEANUP(text_release) struct text many = { 0 };

	(void)state;
	assert_unreadable("lxc.a = 1\nno setting\n");
	assert_unreadable("lxc.include = @/missing\n");
	assert_unreadable("lxc.include = relative\n");
	assert_unreadable("lxc.include = @/config\n");
	for (int i = 0; i <= LXC_CONFIG_ITEMS_MAX; i++)
		text_format(&many, "a = b\n");
	assert_unreadable(text_string(&many));
	text_clear(&many);
	while (many.length <= LXC_CONFIG_SIZE_MAX)
		text_format(&many, "# %01000d\n", 0);
	assert_unreadable(text_string(&many));
}

static const struct lxc_move move = {
	.from_id = "101",
	.to_id = "202",
	.from_directory = "/var/lib/lxc/101",
	.to_directory = "/srv/lxc/202",
	.from_private_area = "/vz/private/101",
	.to_private_area = "/pool/202",
};

static void assert_rewritten(const char *from, const char *expected)
{
	CLEANUP(text_release) struct text to = { 0 };

	lxc_config_rewrite(from, &move, &to);
	assert_string_equal(text_string(&to), expected);
}

static void test_rewrite(void **state)
{
	(void)state;
	assert_rewritten("", "");
	assert_rewritten("lxc.rootfs.path = dir:/any\n", "lxc.rootfs.path = dir:/pool/202\n");
	assert_rewritten("  lxc.rootfs.path=/any \t\r\nx", "  lxc.rootfs.path=/pool/202 \t\r\nx");
	assert_rewritten("lxc.rootfs.path =\n", "lxc.rootfs.path =\n");
	assert_rewritten("lxc.rootfs.path = \"dir:/a\"\n", "lxc.rootfs.path = \"dir:/pool/202\"\n");
	assert_rewritten("lxc.rootfs.pathology = /a\n", "lxc.rootfs.pathology = /a\n");
	assert_rewritten("#lxc.rootfs.path = /a\n", "#lxc.rootfs.path = /a\n");
	assert_rewritten("lxc.hook.start = /var/lib/lxc/101/h -x /var/lib/lxc/101",
			 "lxc.hook.start = /srv/lxc/202/h -x /var/lib/lxc/101");
	assert_rewritten("lxc.x = /var/lib/lxc/101\n", "lxc.x = /srv/lxc/202\n");
	assert_rewritten("lxc.x = /var/lib/lxc/1012/h\n", "lxc.x = /var/lib/lxc/1012/h\n");
	assert_rewritten("lxc.x = dir /var/lib/lxc/101/h\n", "lxc.x = dir /var/lib/lxc/101/h\n");
	assert_rewritten("lxc.mount.entry = /vz/private/101/a a none bind\n",
			 "lxc.mount.entry = /pool/202/a a none bind\n");
	assert_rewritten("lxc.uts.name = ct101.lan\n", "lxc.uts.name = ct202.lan\n");
	assert_rewritten("lxc.uts.name = ct1012\n", "lxc.uts.name = ct1012\n");
	assert_rewritten("lxc.net.0.veth.pair=veth101.0\n", "lxc.net.0.veth.pair=veth202.0\n");
	assert_rewritten("lxc.net.0.ipv4.address = 10.0.0.101/24\n",
			 "lxc.net.0.ipv4.address = 10.0.0.101/24\n");
	assert_rewritten("not = a\xff path\n\n= \n=", "not = a\xff path\n\n= \n=");
}

static void test_rewrite_mounts(void **state)
{
	CLEANUP(text_release) struct text to = { 0 };

	(void)state;
	lxc_config_rewrite_mounts("# c\n /var/lib/lxc/101/d d none bind\nproc proc proc x\n", &move,
				  &to);
	assert_string_equal(text_string(&to),
			    "# c\n /srv/lxc/202/d d none bind\nproc proc proc x\n");
}

/* All that is below the old directory follows: the configuration, what it includes, its fstab. */
static void test_relocate(void **state)
{
	CLEANUP(memory_release)
	char *config = put("config", "lxc.include = /var/lib/lxc/101/more\n"
				     "lxc.include = /usr/share/lxc/config/common.conf\n"
				     "lxc.mount.fstab = /var/lib/lxc/101/fstab\n");
	CLEANUP(memory_release) char *more = put("more", "lxc.rootfs.path = /vz/private/101\n");
	CLEANUP(memory_release) char *fstab = put("fstab", "/vz/private/101/x x none bind\n");
	CLEANUP(text_release) struct text content = { 0 };
	struct container from = { .id = (char[]){ "101" },
				  .directory = (char[]){ "/var/lib/lxc/101" },
				  .private_area = (char[]){ "/vz/private/101" } };
	struct container to = { .id = (char[]){ "202" },
				.directory = (char[]){ "/srv/lxc/202" },
				.private_area = (char[]){ "/pool/202" } };
	struct error err = { 0 };

	(void)state;
	to.root = (char[]){ "/vz/root/202" };
	assert_int_equal(lxc_rewrite(&from, &to, temporary, &err), 0);
	assert_int_equal(file_read(config, 4096, &content, &err), 0);
	assert_int_equal(file_read(more, 4096, &content, &err), 0);
	assert_int_equal(file_read(fstab, 4096, &content, &err), 0);
	assert_string_equal(text_string(&content),
			    "lxc.include = /srv/lxc/202/more\n"
			    "lxc.include = /usr/share/lxc/config/common.conf\n"
			    "lxc.mount.fstab = /srv/lxc/202/fstab\n\n"
			    "lxc.rootfs.mount = /vz/root/202\n"
			    "lxc.rootfs.path = /pool/202\n/pool/202/x x none bind\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_values),		FILE_TEST(test_reset_below),
		FILE_TEST(test_includes),	FILE_TEST(test_broken),
		cmocka_unit_test(test_rewrite), cmocka_unit_test(test_rewrite_mounts),
		FILE_TEST(test_relocate),
	};

	return RUN_ALL(tests);
}
