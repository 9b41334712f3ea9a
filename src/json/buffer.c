/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  A value in the making: a growing piece of memory that becomes a varlena.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/buffer.h"
#include "utils/memutils.h"

/*
 * Begins a buffer in the current memory context.  A good guess of the final
 * size saves copying.
 */
void
dtmodel_buffer_init(RawBuffer *buffer, Size size)
{
	buffer->size = Min(size, MaxAllocSize);
	buffer->data = palloc(buffer->size);
	buffer->len = 0;
}

/*
 * Makes room for more bytes than are free, by doubling, so that appending
 * stays linear in the end.
 */
void
dtmodel_buffer_enlarge(RawBuffer *buffer, Size more)
{
	Size		needed = buffer->len + more;

	if (needed > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result is too large"),
				 errdetail("The result would take more than the %zu bytes that a value can have.",
						   (Size) MaxAllocSize),
				 errhint("Work on parts of the document.")));

	buffer->size = Min(Max(needed, 2 * buffer->size), MaxAllocSize);
	buffer->data = repalloc(buffer->data, buffer->size);
}
