/*-------------------------------------------------------------------------
 *
 * buffer.h
 *	  A value in the making: a growing piece of memory that becomes a varlena.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_BUFFER_H
#define DTMODEL_JSON_BUFFER_H

typedef struct Buffer
{
	char	   *data;
	Size		len;			/* bytes in use */
	Size		size;			/* bytes allocated */
} Buffer;

extern void dtmodel_buffer_init(Buffer *buffer, Size size);
extern void dtmodel_buffer_enlarge(Buffer *buffer, Size more);

/*
 * Makes room for more bytes, uses it up, and returns where it begins.  The
 * pointer is good until the next call, which may move the buffer.
 */
static inline char *
buffer_extend(Buffer *buffer, Size more)
{
	char	   *place;

	if (unlikely(more > buffer->size - buffer->len))
		dtmodel_buffer_enlarge(buffer, more);
	place = buffer->data + buffer->len;
	buffer->len += more;
	return place;
}

#endif							/* DTMODEL_JSON_BUFFER_H */
