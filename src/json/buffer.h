/*-------------------------------------------------------------------------
 *
 * buffer.h
 *	  A growing piece of memory in which a varlena is built.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_BUFFER_H
#define DTMODEL_JSON_BUFFER_H

typedef struct DtRawBuffer
{
	char	   *data;
	Size		len;			/* bytes in use */
	Size		size;			/* bytes allocated */
} DtRawBuffer;

extern void dtmodel_buffer_init(DtRawBuffer *buffer, Size size);
extern void dtmodel_buffer_enlarge(DtRawBuffer *buffer, Size more);

/*
 * Appends space for some bytes, to be written by the caller, and returns where
 * it begins.  The pointer is valid until the next call, which may move the
 * buffer.
 */
static inline char *
dtmodel_buffer_extend(DtRawBuffer *buffer, Size more)
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
dtmodel_buffer_align(DtRawBuffer *buffer)
{
	Size		padding = INTALIGN(buffer->len) - buffer->len;

	if (padding > 0)
		memset(dtmodel_buffer_extend(buffer, padding), 0, padding);
}

#endif							/* DTMODEL_JSON_BUFFER_H */
