/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  A growing piece of memory in which a varlena is built.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/buffer.h"
#include "utils/memutils.h"

/*
 * Allocates a buffer in the current memory context.  A good estimate of the
 * final size avoids copying.
 */
void
dtmodel_buffer_init(DtRawBuffer *buffer, Size size)
{
	buffer->size = Min(size, MaxAllocSize);
	buffer->data = palloc(buffer->size);
	buffer->len = 0;
}

/*
 * Enlarges a buffer that does not have enough free space.  Its size is
 * doubled, so that the total time is linear.
 */
void
dtmodel_buffer_enlarge(DtRawBuffer *buffer, Size more)
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
