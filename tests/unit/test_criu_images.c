// SPDX-License-Identifier: GPL-2.0-or-later
/* criu's image of addresses: only the flags of IPv6 addresses change, whatever is in the file. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/criu.h"
#include "temporary.h"

static const uint32_t magic = 0x47361222;

static void add_attribute(struct text *image, unsigned short type, const void *value, size_t length)
{
	struct rtattr attribute = { .rta_type = type,
				    .rta_len = (unsigned short)RTA_LENGTH(length) };
	static const char padding[RTA_ALIGNTO];

	text_append(image, &attribute, sizeof(attribute));
	text_append(image, value, length);
	text_append(image, padding, RTA_ALIGN(length) - length);
}

/* Adds a message about an address; its attributes end with the flags. */
static void add_address(struct text *image, unsigned short type, unsigned char family,
			const char *written, uint32_t flags)
{
	CLEANUP(text_release) struct text attributes = { 0 };
	struct ifaddrmsg address = { .ifa_family = family,
				     .ifa_prefixlen = 64,
				     .ifa_flags = (unsigned char)flags,
				     .ifa_index = 5 };
	struct nlmsghdr header = { .nlmsg_type = type };
	unsigned char bytes[16];

	assert_int_equal(inet_pton(family, written, bytes), 1);
	add_attribute(&attributes, IFA_LABEL, "eth0", 5);
	add_attribute(&attributes, IFA_ADDRESS, bytes, family == AF_INET ? 4 : 16);
	add_attribute(&attributes, IFA_FLAGS, &flags, sizeof(flags));
	header.nlmsg_len = (uint32_t)NLMSG_LENGTH(sizeof(address) + attributes.length);
	text_append(image, &header, sizeof(header));
	text_append(image, &address, sizeof(address));
	text_append(image, attributes.bytes, attributes.length);
}

/* Two addresses of eth0, one of each family. */
static void fill(struct text *image, uint32_t first_word, uint32_t flags_of_six)
{
	text_append(image, &first_word, sizeof(first_word));
	add_address(image, RTM_NEWADDR, AF_INET, "10.0.0.5", IFA_F_PERMANENT);
	add_address(image, RTM_NEWADDR, AF_INET6, "fd00::5", flags_of_six);
}

/* Runs over an image of these bytes, and what it is then is in *after. */
static void run(const void *bytes, size_t length, struct text *after)
{
	CLEANUP(memory_release) char *path = put_bytes("ifaddr-9.img", bytes, length);
	struct error err = { 0 };

	if (criu_skip_duplicate_detection(temporary, &err) < 0)
		fail_msg("%s", err.text);
	text_clear(after);
	assert_int_equal(file_read(path, 1 << 20, after, &err), 0);
}

static void test_only_version_six_changes(void **state)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text expected = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	(void)state;
	fill(&before, magic, IFA_F_PERMANENT | IFA_F_TENTATIVE);
	fill(&expected, magic, IFA_F_PERMANENT | IFA_F_TENTATIVE | IFA_F_NODAD);
	run(before.bytes, before.length, &after);
	assert_int_equal(after.length, expected.length);
	assert_memory_equal(after.bytes, expected.bytes, expected.length);
	run(expected.bytes, expected.length, &after);
	assert_memory_equal(after.bytes, expected.bytes, expected.length);
}

static void test_other_messages_stay(void **state)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	(void)state;
	text_append(&before, &magic, sizeof(magic));
	add_address(&before, RTM_DELADDR, AF_INET6, "fd00::5", 0);
	add_address(&before, RTM_NEWROUTE, AF_INET6, "fd00::5", 0);
	run(before.bytes, before.length, &after);
	assert_memory_equal(after.bytes, before.bytes, before.length);
}

static void test_another_magic_is_left_alone(void **state)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	(void)state;
	fill(&before, 0x12345678, 0);
	run(before.bytes, before.length, &after);
	assert_int_equal(after.length, before.length);
	assert_memory_equal(after.bytes, before.bytes, before.length);
}

/* Cut anywhere, the image keeps its length, and only what is whole before the cut may change. */
static void test_truncated(void **state)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text changed = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	(void)state;
	fill(&before, magic, 0);
	fill(&changed, magic, IFA_F_NODAD);
	for (size_t length = 0; length <= before.length; length++) {
		const struct text *expected = length < before.length ? &before : &changed;

		run(before.bytes, length, &after);
		assert_int_equal(after.length, length);
		assert_memory_equal(text_string(&after), expected->bytes, length);
	}
}

/* Each two bytes in turn say the least and the most: lengths that lie, types that do not fit. */
static void test_hostile(void **state)
{
	static const unsigned char values[][2] = { { 0, 0 },	  { 0xff, 0xff }, { 1, 0 },
						   { 3, 0 },	  { 5, 0 },	  { 0x11, 0 },
						   { 0xff, 0x7f } };
	CLEANUP(text_release) struct text image = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	(void)state;
	fill(&image, magic, 0);
	for (size_t at = sizeof(magic); at + 2 <= image.length; at += 2) {
		for (size_t i = 0; i < COUNT_OF(values); i++) {
			char saved[2] = { image.bytes[at], image.bytes[at + 1] };

			memcpy(image.bytes + at, values[i], 2);
			run(image.bytes, image.length, &after);
			assert_int_equal(after.length, image.length);
			memcpy(image.bytes + at, saved, 2);
		}
	}
}

static void test_which_files_are_changed(void **state)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text changed = { 0 };
	CLEANUP(memory_release) char *route = NULL;
	CLEANUP(memory_release) char *first = NULL;
	CLEANUP(memory_release) char *second = NULL;
	CLEANUP(memory_release) char *missing = in_temporary("missing");
	struct error err = { 0 };
	struct stat info;

	(void)state;
	fill(&before, magic, 0);
	fill(&changed, magic, IFA_F_NODAD);
	route = put_bytes("route-9.img", before.bytes, before.length);
	first = put_bytes("ifaddr-9.img", before.bytes, before.length);
	second = put_bytes("ifaddr-10.img", before.bytes, before.length);
	assert_int_equal(chmod(first, 0600), 0);
	assert_int_equal(criu_skip_duplicate_detection(temporary, &err), 0);
	assert_file_is(route, before.bytes, before.length);
	assert_file_is(first, changed.bytes, changed.length);
	assert_file_is(second, changed.bytes, changed.length);
	assert_int_equal(stat(first, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(criu_skip_duplicate_detection(missing, &err), -1);
	assert_non_null(strstr(err.text, missing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_only_version_six_changes),
		FILE_TEST(test_other_messages_stay),
		FILE_TEST(test_another_magic_is_left_alone),
		FILE_TEST(test_truncated),
		FILE_TEST(test_hostile),
		FILE_TEST(test_which_files_are_changed),
	};

	return RUN_ALL(tests);
}
