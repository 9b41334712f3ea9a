/*-------------------------------------------------------------------------
 *
 * json_steps.h
 *	  What every file of src/json includes first where steps are counted.
 *
 * Bytes that are compared or moved are steps too, and checks for interrupts are
 * noted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JSON_STEPS_H
#define JSON_STEPS_H

#include "postgres.h"

#include "miscadmin.h"

extern void json_steps_check(void);
extern int	json_steps_compare(const void *a, const void *b, size_t n);
extern void *json_steps_copy(void *to, const void *from, size_t n);

#undef CHECK_FOR_INTERRUPTS
#define CHECK_FOR_INTERRUPTS() json_steps_check()
#undef memcmp
#define memcmp(a, b, n) json_steps_compare(a, b, n)
#undef memcpy
#define memcpy(to, from, n) json_steps_copy(to, from, n)
#undef memmove
#define memmove(to, from, n) json_steps_copy(to, from, n)

#endif							/* JSON_STEPS_H */
