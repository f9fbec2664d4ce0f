// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for keeping frames of a container in the kernel, and for sending them later. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "system/held_frames.h"
#include "system/network.h"

/* What the kernel may keep, in bytes: the windows of some connections. */
#define QUEUE_LIMIT (8 << 20)

/* The largest packet that the kernel passes on in one piece, with headers before it. */
#define FRAME_MAX (sizeof(struct virtio_net_hdr) + ETHER_HDR_LEN + 65536 + 64)

/* Frames of kinds that cannot be passed on are read as errors. */
#define ERRORS_MAX 1000

/* Checksums and segments that are left to the hardware, as they are between namespaces of one node,
 * are described by a header before the frame, here and when it is sent. */
static int keep_offloads(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
}

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + (what)))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define LEAVE BPF_STMT(BPF_RET | BPF_K, 0)

static int choose(int fd, enum held_direction direction)
{
	static struct sock_filter arriving[] = {
		LOAD(SKF_AD_HATYPE),
		IF_EQUAL(ARPHRD_ETHER, 0, 5),
		LOAD(SKF_AD_PKTTYPE),
		IF_EQUAL(PACKET_HOST, 0, 3),
		LOAD(SKF_AD_PROTOCOL),
		IF_EQUAL(ETHERTYPE_IP, 2, 0),
		IF_EQUAL(ETHERTYPE_IPV6, 1, 0),
		LEAVE,
		TAKE,
	};
	static struct sock_filter leaving[] = {
		LOAD(SKF_AD_HATYPE),
		IF_EQUAL(ARPHRD_ETHER, 0, 2),
		LOAD(SKF_AD_PKTTYPE),
		IF_EQUAL(PACKET_OUTGOING, 1, 0),
		LEAVE,
		TAKE,
	};
	struct sock_fprog program = { COUNT_OF(leaving), leaving };

	if (direction == HELD_ARRIVING)
		program = (struct sock_fprog){ COUNT_OF(arriving), arriving };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* It stays of that namespace, wherever it is used. */
static int open_socket(pid_t pid, struct error *err)
{
	CLEANUP(descriptor_close) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (home < 0)
		return error_system(err, "cannot open this process's network namespace");
	if (network_enter(pid, err) < 0)
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		error_system(err, "cannot open a packet socket");
	/* In a namespace that is not its own this process would do harm. */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	return fd;
}

int held_frames_begin(pid_t pid, enum held_direction direction, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_socket(pid, err);
	struct sockaddr_ll every = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int limit = QUEUE_LIMIT;
	int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
	    keep_offloads(fd) < 0 || choose(fd, direction) < 0 ||
	    bind(fd, (const struct sockaddr *)&every, sizeof(every)) < 0)
		return error_system(err, "cannot keep frames");
	return descriptor_steal(&fd);
}

struct frame {
	unsigned char *bytes; /* FRAME_MAX; a struct virtio_net_hdr comes first */
	size_t length;
	int index; /* of the device */
};

/* Of a VLAN? Its tag is not among the bytes any more. */
static bool has_tag(struct msghdr *message)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL;
	     at = CMSG_NXTHDR(message, at)) {
		struct tpacket_auxdata auxiliary;

		if (at->cmsg_level != SOL_PACKET || at->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&auxiliary, CMSG_DATA(at), sizeof(auxiliary));
		if ((auxiliary.tp_status & TP_STATUS_VLAN_VALID) != 0)
			return true;
	}
	return false;
}

/* False when there are no more. */
static bool take(int held, struct frame *frame)
{
	for (int errors = 0; errors < ERRORS_MAX;) {
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct iovec piece = { frame->bytes, FRAME_MAX };
		struct sockaddr_ll from = { 0 };
		struct msghdr message = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(held, &message, MSG_DONTWAIT);

		if (length < 0 && errno == EAGAIN)
			return false;
		errors += length < 0;
		if (length < (ssize_t)(sizeof(struct virtio_net_hdr) + ETHER_HDR_LEN) ||
		    (message.msg_flags & MSG_TRUNC) != 0 || has_tag(&message))
			continue;
		frame->length = (size_t)length;
		frame->index = from.sll_ifindex;
		return true;
	}
	return false;
}

static unsigned char *ethernet_header(const struct frame *frame)
{
	return frame->bytes + sizeof(struct virtio_net_hdr);
}

static bool send_from(int fd, int index, const struct frame *frame)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6 };

	memcpy(to.sll_addr, ethernet_header(frame), 6);
	memcpy(&to.sll_protocol, ethernet_header(frame) + 12, sizeof(to.sll_protocol));
	return sendto(fd, frame->bytes, frame->length, MSG_DONTWAIT, (const struct sockaddr *)&to,
		      sizeof(to)) >= 0;
}

size_t held_frames_repeat(int held)
{
	CLEANUP(memory_release) char *buffer = memory_allocate(FRAME_MAX, 1);
	struct frame frame = { .bytes = (unsigned char *)buffer };
	size_t count = 0;

	while (take(held, &frame))
		count += send_from(held, frame.index, &frame);
	return count;
}

/* A device of the socket's network namespace, its number and MAC. */
struct link {
	int index;
	unsigned char mac[6];
};

static bool find_link(int fd, const char *name, struct link *link)
{
	struct ifreq request = { 0 };

	if (strlen(name) >= sizeof(request.ifr_name))
		return false;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return false;
	link->index = request.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0 || request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return false;
	memcpy(link->mac, request.ifr_hwaddr.sa_data, sizeof(link->mac));
	return true;
}

/* What came for the inner device goes from the bridge. */
struct way {
	struct link inner;
	struct link bridge;
};

static bool forward(int fd, const struct frame *frame, const struct way *ways, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ways[i].inner.index != frame->index)
			continue;
		memcpy(ethernet_header(frame) + 6, ways[i].bridge.mac, 6);
		return send_from(fd, ways[i].bridge.index, frame);
	}
	return false;
}

int held_frames_forward(int held, const struct held_device *devices, size_t count,
			struct error *err)
{
	CLEANUP(descriptor_close) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	CLEANUP(memory_release) char *buffer = memory_allocate(FRAME_MAX, 1);
	struct frame frame = { .bytes = (unsigned char *)buffer };
	struct way ways[HELD_DEVICES_MAX];
	size_t known = 0;
	int sent = 0;

	if (fd < 0 || keep_offloads(fd) < 0)
		return error_system(err, "cannot open a packet socket");
	for (size_t i = 0; i < count && known < COUNT_OF(ways); i++)
		known += find_link(held, devices[i].name, &ways[known].inner) &&
			 find_link(fd, devices[i].bridge, &ways[known].bridge);
	while (take(held, &frame))
		sent += forward(fd, &frame, ways, known);
	return sent;
}
