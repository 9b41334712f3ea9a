/*-------------------------------------------------------------------------
 *
 * pointer.c
 *	  JSON pointers (RFC 6901) to places in a document.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/patch/pointer.h"
#include "utils/builtins.h"

static bool
needs_escape(char c)
{
	return c == '~' || c == '/';
}

/* The length of a step in a pointer, with the slash before it. */
static Size
token_length(DtDiffStep *step)
{
	Size		len = 1;
	char		number[16];

	if (step->key.data == NULL)
		return len + pg_ultoa_n(step->index, number);

	len += step->key.len;
	for (uint32 i = 0; i < step->key.len; i++)
		len += needs_escape(step->key.data[i]) ? 1 : 0;
	return len;
}

/* Writes a step, with the slash before it, so that it ends at "end". */
static void
write_token(DtDiffStep *step, char *end)
{
	char		number[16];
	const char *token = step->key.data;
	Size		len = step->key.len;

	if (token == NULL)
	{
		len = pg_ultoa_n(step->index, number);
		token = number;
	}
	while (len-- > 0)
	{
		if (needs_escape(token[len]))
		{
			*--end = token[len] == '~' ? '0' : '1';
			*--end = '~';
		}
		else
			*--end = token[len];
	}
	*--end = '/';
}

/* Appends the pointer to a place to a buffer. */
void
dtmodel_write_pointer(DtRawBuffer *buffer, DtDiffStep *at)
{
	DtDiffStep *step;
	Size		len = 0;
	char	   *end;

	for (step = at; step != NULL; step = step->up)
		len += token_length(step);
	end = dtmodel_buffer_extend(buffer, len) + len;
	for (step = at; step != NULL; step = step->up)
	{
		write_token(step, end);
		end -= token_length(step);
	}
}
