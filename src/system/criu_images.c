// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for changing criu's images for the new node: the flags of IPv6 addresses, and
 * who may read them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/criu.h"

/* What `ip address save` writes, and criu with it: this word, then netlink messages. */
#define ADDRESS_DUMP_MAGIC 0x47361222U
#define IMAGE_LIMIT (1 << 20)

/* Sets IFA_F_NODAD in one RTM_NEWADDR message of `length` bytes. */
static void set_nodad(char *message, size_t length)
{
	struct ifaddrmsg address;
	size_t at = NLMSG_ALIGN(sizeof(address));

	if (length < at)
		return;
	memcpy(&address, message, sizeof(address));
	if (address.ifa_family != AF_INET6)
		return;
	address.ifa_flags |= IFA_F_NODAD;
	memcpy(message, &address, sizeof(address));
	while (at + sizeof(struct rtattr) <= length) {
		struct rtattr attribute;
		uint32_t flags;

		memcpy(&attribute, message + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > length - at)
			return;
		if (attribute.rta_type == IFA_FLAGS &&
		    attribute.rta_len >= RTA_LENGTH(sizeof(flags))) {
			memcpy(&flags, message + at + RTA_LENGTH(0), sizeof(flags));
			flags |= IFA_F_NODAD;
			memcpy(message + at + RTA_LENGTH(0), &flags, sizeof(flags));
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
}

static void change_messages(char *bytes, size_t length)
{
	size_t at = sizeof(uint32_t);

	while (at + sizeof(struct nlmsghdr) <= length) {
		struct nlmsghdr header;

		memcpy(&header, bytes + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > length - at)
			return;
		if (header.nlmsg_type == RTM_NEWADDR)
			set_nodad(bytes + at + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
		at += NLMSG_ALIGN(header.nlmsg_len);
	}
}

/* Whose the images shall be. */
struct owner {
	uid_t uid;
	gid_t gid;
};

static int change_image(const char *path, const struct owner *owner, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(descriptor_close) int fd = -1;
	uint32_t magic = 0;

	(void)owner;
	if (file_read(path, IMAGE_LIMIT, &content, err) < 0)
		return -1;
	if (content.length < sizeof(magic))
		return 0;
	memcpy(&magic, content.bytes, sizeof(magic));
	if (magic != ADDRESS_DUMP_MAGIC)
		return 0;
	change_messages(content.bytes, content.length);
	/* In place: owner and mode are what the restore needs. */
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || pwrite(fd, content.bytes, content.length, 0) != (ssize_t)content.length)
		return error_system(err, "cannot change the image '%s'", path);
	return 0;
}

/* Calls `change` for each image whose name begins so. */
static int for_each_image(const char *images, const char *prefix,
			  int (*change)(const char *path, const struct owner *owner,
					struct error *err),
			  const struct owner *owner, struct error *err)
{
	DIR *directory = opendir(images);
	struct dirent *entry;
	int result = 0;

	if (directory == NULL)
		return error_system(err, "cannot read the images in '%s'", images);
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *path = memory_format("%s/%s", images, entry->d_name);

		if (entry->d_type == DT_REG && entry->d_name[0] != '.' &&
		    text_starts_with(entry->d_name, prefix))
			result = change(path, owner, err);
	}
	closedir(directory);
	return result;
}

int criu_skip_duplicate_detection(const char *images, struct error *err)
{
	return for_each_image(images, "ifaddr-", change_image, NULL, err);
}

static int give_image(const char *path, const struct owner *owner, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fchown(fd, owner->uid, owner->gid) < 0 || fchmod(fd, 0600) < 0)
		return error_system(err, "cannot give the image '%s' to the container's root",
				    path);
	return 0;
}

int criu_give_images(const char *images, uid_t uid, gid_t gid, struct error *err)
{
	const struct owner container = { .uid = uid, .gid = gid };
	const struct owner root = { 0 };

	if (for_each_image(images, "", give_image, &container, err) < 0 ||
	    for_each_image(images, "timens-", give_image, &root, err) < 0)
		return -1;
	if (chown(images, uid, gid) < 0 || chmod(images, 0711) < 0)
		return error_system(err, "cannot give '%s' to the container's root", images);
	return 0;
}
