/*-------------------------------------------------------------------------
 *
 * buffer.h
 *	  A growing piece of memory in which a varlena is built.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_BUFFER_H
#define DTMODEL_JSON_BUFFER_H

typedef struct RawBuffer
{
	char	   *data;
	Size		len;			/* bytes in use */
	Size		size;			/* bytes allocated */
} RawBuffer;

extern void dtmodel_buffer_init(RawBuffer *buffer, Size size);
extern void dtmodel_buffer_enlarge(RawBuffer *buffer, Size more);

/*
 * Appends space for some bytes, to be written by the caller, and returns where
 * it begins.  The pointer is valid until the next call, which may move the
 * buffer.
 */
static inline char *
buffer_extend(RawBuffer *buffer, Size more)
{
	char	   *place;

	if (unlikely(more > buffer->size - buffer->len))
		dtmodel_buffer_enlarge(buffer, more);
	place = buffer->data + buffer->len;
	buffer->len += more;
	return place;
}

/* Appends zero bytes up to the next multiple of four. */
static inline void
buffer_align(RawBuffer *buffer)
{
	Size		padding = INTALIGN(buffer->len) - buffer->len;

	if (padding > 0)
		memset(buffer_extend(buffer, padding), 0, padding);
}

#endif							/* DTMODEL_JSON_BUFFER_H */
