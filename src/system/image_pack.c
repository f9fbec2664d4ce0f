// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for zstd: data of an image stream as frames of it, and back. */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/memory.h"
#include "system/image_pack.h"
#include "system/image_stream.h"

#define LEVEL (-1)

/* Before the frame: how many bytes it was made of. */
#define HEAD sizeof(uint32_t)

struct image_packer {
	ZSTD_CCtx *context;
	unsigned char packed[IMAGE_DATA_MAX];
};

struct image_unpacker {
	ZSTD_DCtx *context;
	unsigned char bytes[IMAGE_DATA_MAX];
};

struct image_packer *image_packer_new(struct error *err)
{
	struct image_packer *packer = memory_allocate(1, sizeof(*packer));

	packer->context = ZSTD_createCCtx();
	if (packer->context != NULL &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, LEVEL)))
		return packer;
	image_packer_free(&packer);
	error_set(err, "zstd cannot begin to compress");
	return NULL;
}

void image_packer_free(struct image_packer **packer)
{
	if (*packer != NULL)
		ZSTD_freeCCtx((*packer)->context);
	free(*packer);
	*packer = NULL;
}

size_t image_pack(struct image_packer *packer, const void *bytes, size_t length,
		  const unsigned char **packed)
{
	uint32_t head = htole32((uint32_t)length);
	size_t size;

	if (length <= HEAD + 1 || length > IMAGE_DATA_MAX)
		return 0;
	/* Only into less room than it has: what does not fit is not wanted. */
	size = ZSTD_compress2(packer->context, packer->packed + HEAD, length - HEAD - 1, bytes,
			      length);
	if (ZSTD_isError(size))
		return 0;
	memcpy(packer->packed, &head, HEAD);
	*packed = packer->packed;
	return HEAD + size;
}

struct image_unpacker *image_unpacker_new(struct error *err)
{
	struct image_unpacker *unpacker = memory_allocate(1, sizeof(*unpacker));

	unpacker->context = ZSTD_createDCtx();
	if (unpacker->context != NULL)
		return unpacker;
	image_unpacker_free(&unpacker);
	error_set(err, "zstd cannot begin to decompress");
	return NULL;
}

void image_unpacker_free(struct image_unpacker **unpacker)
{
	if (*unpacker != NULL)
		ZSTD_freeDCtx((*unpacker)->context);
	free(*unpacker);
	*unpacker = NULL;
}

/* One frame, and nothing else: zstd itself would take several, and some that contain nothing. */
static bool is_frame_of(const unsigned char *frame, size_t size, size_t length)
{
	return ZSTD_getFrameContentSize(frame, size) == length &&
	       ZSTD_findFrameCompressedSize(frame, size) == size;
}

/* All in one go, so zstd has no window of its own: what it writes are `length` bytes here, and no more. */
int image_unpack(struct image_unpacker *unpacker, const unsigned char *packed, size_t size,
		 const unsigned char **bytes, size_t *length, struct error *err)
{
	uint32_t head;

	if (size <= HEAD)
		return error_set(err, "packed data has no length");
	memcpy(&head, packed, HEAD);
	*length = le32toh(head);
	if (*length == 0 || *length > IMAGE_DATA_MAX)
		return error_set(err, "packed data is of %zu bytes", *length);
	if (!is_frame_of(packed + HEAD, size - HEAD, *length) ||
	    ZSTD_decompressDCtx(unpacker->context, unpacker->bytes, *length, packed + HEAD,
				size - HEAD) != *length)
		return error_set(err, "packed data of %zu bytes cannot be unpacked", *length);
	*bytes = unpacker->bytes;
	return 0;
}
