/*-------------------------------------------------------------------------
 *
 * json_fuzz.c
 *	  A fuzz target for the functions on jsonb, run inside a backend.
 *
 * libFuzzer invents bytes, and looks for bytes that take a new way through
 * the code.  Here they are read as instructions for building two documents
 * and a patch; what the functions make of those must be well-formed to the
 * last byte, and agree with each other.  If not, the backend aborts and
 * libFuzzer keeps the bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "json/format.h"
#include "json/hash.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(json_fuzz);

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv,
								int (*target) (const uint8 *data, size_t size));

extern size_t LLVMFuzzerMutate(uint8 *data, size_t size, size_t max_size);
extern size_t LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t max_size,
									  unsigned int seed);

extern Datum dtmodel_get_difference_between_dictionaries(PG_FUNCTION_ARGS);
extern Datum dtmodel_jsonb_deep_merge(PG_FUNCTION_ARGS);
extern Datum dtmodel_jsonb_diff(PG_FUNCTION_ARGS);
extern Datum dtmodel_jsonb_merge_diff(PG_FUNCTION_ARGS);
extern Datum dtmodel_jsonb_merge_patch(PG_FUNCTION_ARGS);
extern Datum dtmodel_jsonb_patch(PG_FUNCTION_ARGS);

/* Bytes to build from; zeros follow the last one. */
typedef struct Source
{
	const uint8 *data;
	size_t		size;
	size_t		at;
	size_t		changed_at;		/* a byte that is read as another one */
	uint8		change;
} Source;

static MemoryContext run_context;
static TimestampTz deadline;
static uint64 runs;
static uint64 refusals;
static sigjmp_buf finished;

/* ---- building documents ---- */

static uint8
take(Source *source)
{
	uint8		byte = source->at < source->size ? source->data[source->at] : 0;

	if (source->at == source->changed_at)
		byte ^= source->change;
	source->at++;
	return byte;
}

static void
build_string(Source *source, JsonbValue *value, bool key)
{
	static const char *const words[] = {
		"", "a", "b", "ab", ".", "a.b", "/", "~", "~1", "a/b", "0", "1", "-", "\"",
		"key", "a longer key of some more bytes", "\xc3\xa9", "\xf0\x9f\x98\x80"
	};
	uint8		choice = take(source);

	value->type = jbvString;
	if (choice < 200)
		value->val.string.val = psprintf("%s", words[choice % lengthof(words)]);
	else if (key)
		value->val.string.val = psprintf("k%d", choice % 100 * 10);
	else
	{
		char	   *repeated = palloc0(choice);

		memset(repeated, 'x', choice % 64);
		value->val.string.val = repeated;
	}
	value->val.string.len = strlen(value->val.string.val);
}

static void
build_number(Source *source, JsonbValue *value)
{
	static const char *const numbers[] = {
		"0", "0.0", "-0.00", "1", "1.0", "1.00", "-1", "10", "10.000", "0.5",
		"0.50", "12345678901234567890.123456789", "1e300", "1e-300", "9999", "10000"
	};
	uint8		choice = take(source);
	const char *text = choice < 200 ? numbers[choice % lengthof(numbers)] :
	psprintf("%d.%d", choice, take(source));

	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															 CStringGetDatum(text),
															 ObjectIdGetDatum(InvalidOid),
															 Int32GetDatum(-1)));
}

static bool
build_scalar(Source *source, uint8 choice, JsonbValue *value)
{
	switch (choice % 8)
	{
		case 0:
			value->type = jbvNull;
			return true;
		case 1:
			value->type = jbvBool;
			value->val.boolean = take(source) % 2;
			return true;
		case 2:
			build_number(source, value);
			return true;
		case 3:
			build_string(source, value, false);
			return true;
		default:
			return false;
	}
}

/* Builds one value, as an element, a member, or the root. */
static JsonbValue *
build_value(Source *source, JsonbParseState **state, int depth,
			JsonbIteratorToken as)
{
	uint8		choice = take(source);
	bool		object = choice % 2 == 0;
	JsonbValue	value;
	int			count;
	int			i;

	if (build_scalar(source, depth > 5 ? choice % 4 : choice, &value))
	{
		if (as == WJB_DONE)
		{
			JsonbValue *root = palloc(sizeof(JsonbValue));

			*root = value;
			return root;
		}
		return pushJsonbValue(state, as, &value);
	}

	pushJsonbValue(state, object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	count = take(source) % 9;
	if (choice > 250)
		count = 30 + count;		/* beyond one stride of offsets */
	for (i = 0; i < count; i++)
	{
		if (object)
		{
			build_string(source, &value, true);
			pushJsonbValue(state, WJB_KEY, &value);
		}
		build_value(source, state, depth + 1, object ? WJB_VALUE : WJB_ELEM);
	}
	return pushJsonbValue(state, object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

static Jsonb *
build_document(Source *source)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(build_value(source, &state, 0, WJB_DONE));
}

static void
push_text(JsonbParseState **state, JsonbIteratorToken as, const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = (char *) text;
	value.val.string.len = strlen(text);
	pushJsonbValue(state, as, &value);
}

/* A pointer that often exists in the document. */
static char *
build_pointer(Source *source)
{
	static const char *const tokens[] = {
		"/a", "/b", "/ab", "/0", "/1", "/2", "/-", "/", "/~1", "/~0", "/a.b", "/key", "/01", "/~2", "x"
	};
	char	   *pointer = "";
	int			count = take(source) % 4;

	while (count-- > 0)
		pointer = psprintf("%s%s", pointer, tokens[take(source) % lengthof(tokens)]);
	return pointer;
}

static void
build_operation(Source *source, JsonbParseState **state)
{
	static const char *const ops[] = {
		"add", "remove", "replace", "move", "copy", "test", "add", "copy", "copy", "nothing"
	};

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, WJB_KEY, "op");
	push_text(state, WJB_VALUE, ops[take(source) % lengthof(ops)]);
	push_text(state, WJB_KEY, "path");
	push_text(state, WJB_VALUE, build_pointer(source));
	push_text(state, WJB_KEY, "from");
	push_text(state, WJB_VALUE, build_pointer(source));
	push_text(state, WJB_KEY, "value");
	build_value(source, state, 3, WJB_VALUE);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * Some operations, or the same few again and again: what they copy, if they do,
 * is doubled so often that nothing could hold it.
 */
static Jsonb *
build_patch(Source *source)
{
	JsonbParseState *state = NULL;
	int			count = take(source) % 20;
	int			times = take(source) > 240 ? 100 : 1;
	Source		begin = *source;

	if (times > 1)
		count %= 4;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (times-- > 0)
	{
		*source = begin;
		for (int i = 0; i < count; i++)
			build_operation(source, &state);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* ---- what must hold ---- */

static void
must(bool holds, const char *what, Jsonb *a, Jsonb *b)
{
	if (holds)
		return;
	fprintf(stderr, "%s:\n%s\n%s\n", what,
			JsonbToCString(NULL, &a->root, VARSIZE(a)),
			JsonbToCString(NULL, &b->root, VARSIZE(b)));
	abort();
}

static bool
same_document(Jsonb *a, Jsonb *b)
{
	return compareJsonbContainers(&a->root, &b->root) == 0;
}

/* Is this, to the last byte, what the server itself would have written? */
static Jsonb *
well_formed(Jsonb *document)
{
	char	   *text = JsonbToCString(NULL, &document->root, VARSIZE(document));
	Jsonb	   *again = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														   CStringGetDatum(text)));

	must(VARSIZE(document) == VARSIZE(again) &&
		 memcmp(document, again, VARSIZE(again)) == 0,
		 "not well-formed", document, again);
	return document;
}

static Jsonb *
call(PGFunction function, Jsonb *a, Jsonb *b)
{
	return well_formed(DatumGetJsonbP(DirectFunctionCall2(function,
														  JsonbPGetDatum(a),
														  JsonbPGetDatum(b))));
}

/* NULL if the function refuses its arguments as bad data. */
static Jsonb *
call_or_refuse(PGFunction function, Jsonb *a, Jsonb *b)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	PG_TRY();
	{
		result = call(function, a, b);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		must(geterrcode() == ERRCODE_INVALID_PARAMETER_VALUE ||
			 geterrcode() == ERRCODE_PROGRAM_LIMIT_EXCEEDED, "error", a, b);
		FlushErrorState();
		refusals++;
	}
	PG_END_TRY();
	return result;
}

static int
count_differences(Jsonb *a, Jsonb *b, bool ignore_order)
{
	Datum		paths;

	paths = DirectFunctionCall4(dtmodel_get_difference_between_dictionaries,
								JsonbPGetDatum(a), JsonbPGetDatum(b),
								CStringGetTextDatum("p"),
								BoolGetDatum(ignore_order));
	return ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(paths)),
						  ARR_DIMS(DatumGetArrayTypeP(paths)));
}

static void
check_pair(Jsonb *a, Jsonb *b)
{
	DtRawValue	value_a = dtmodel_raw_root(a);
	DtRawValue	value_b = dtmodel_raw_root(b);
	bool		same = same_document(a, b);
	Jsonb	   *patch;

	must(dtmodel_raw_equal(&value_a, &value_b) == same, "raw equality", a, b);
	must(!same || dtmodel_raw_hash(&value_a, NULL) == dtmodel_raw_hash(&value_b, NULL), "hash", a, b);
	must((count_differences(a, b, false) == 0) == same, "difference", a, b);
	must(count_differences(a, b, true) <= count_differences(a, b, false), "sets", a, b);

	patch = call(dtmodel_jsonb_diff, a, b);
	must(same_document(call(dtmodel_jsonb_patch, a, patch), b), "patch", a, b);
	patch = call_or_refuse(dtmodel_jsonb_merge_diff, a, b);
	must(!patch || same_document(call(dtmodel_jsonb_merge_patch, a, patch), b), "merge patch", a, b);

	call(dtmodel_jsonb_merge_patch, a, b);
	call(dtmodel_jsonb_deep_merge, a, b);
	must(same_document(call(dtmodel_jsonb_deep_merge, a, a), a), "merge with itself", a, a);
}

static int
fuzz_one(const uint8 *data, size_t size)
{
	Source		source = {data, size, 0, SIZE_MAX, 0};
	MemoryContext context = MemoryContextSwitchTo(run_context);
	Jsonb	   *a;
	Jsonb	   *b;

	/* b is another document, or a after a change of one byte. */
	a = build_document(&source);
	if (take(&source) % 2)
	{
		uint8		at = take(&source);

		source.change = take(&source);
		source.changed_at = at;
		source.at = 0;
	}
	b = build_document(&source);

	check_pair(a, b);
	check_pair(b, a);
	call_or_refuse(dtmodel_jsonb_patch, a, build_patch(&source));

	MemoryContextSwitchTo(context);
	MemoryContextReset(run_context);
	runs++;
	return 0;
}

/*
 * libFuzzer asks for the next bytes here.  There is no other way to make it
 * stop that would leave the backend alive.
 */
size_t
LLVMFuzzerCustomMutator(uint8 *data, size_t size, size_t max_size,
						unsigned int seed pg_attribute_unused())
{
	if (GetCurrentTimestamp() > deadline || InterruptPending)
		siglongjmp(finished, 1);
	return LLVMFuzzerMutate(data, size, max_size);
}

/*
 * json_fuzz(seconds int, corpus text) RETURNS text
 *
 * Fuzzes for so many seconds and prints how often.  The corpus is a folder on
 * the server, for the bytes that took new ways, and those that failed.
 */
Datum
json_fuzz(PG_FUNCTION_ARGS)
{
	char	   *corpus = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *arguments[] = {
		"json_fuzz", "-max_len=400", "-timeout=10", "-handle_usr1=0", "-handle_usr2=0",
		"-handle_int=0", "-handle_term=0", "-print_final_stats=1",
		psprintf("-artifact_prefix=%s/", corpus), corpus, NULL
	};
	char	  **argv = arguments;
	int			argc = lengthof(arguments) - 1;

	run_context = AllocSetContextCreate(CurrentMemoryContext, "fuzz", ALLOCSET_DEFAULT_SIZES);
	deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										   PG_GETARG_INT32(0) * INT64CONST(1000));
	runs = refusals = 0;

	if (sigsetjmp(finished, 1) == 0)
		LLVMFuzzerRunDriver(&argc, &argv, fuzz_one);

	CHECK_FOR_INTERRUPTS();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf(UINT64_FORMAT " runs, " UINT64_FORMAT " refusals",
											  runs, refusals)));
}
