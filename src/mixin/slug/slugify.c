/*-------------------------------------------------------------------------
 *
 * slugify.c
 *	  Text as a part of a URL: words of ASCII letters and digits.
 *
 * ICU decomposes signs such as the numero sign, transliterates other scripts
 * to Latin letters, and removes accents and ligatures.  A letter for which it
 * has no Latin form becomes its code point, so that a text with letters or
 * digits always gives a slug.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "mixin/slug/slugify.h"
#include "utils/builtins.h"

#ifdef USE_ICU
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>
#endif

PG_FUNCTION_INFO_V1(dtmodel_slugify_text);

#ifdef USE_ICU

/* This many bytes of UTF-8 are transliterated at once. */
#define CHUNK_SIZE 4096

#define TRANSLITERATION "NFKC; [:Cf:] Remove; Any-Latin; Latin-ASCII; Lower"

typedef struct SlugWriter
{
	StringInfoData slug;
	StringInfoData word;		/* the word that is being read */
	int			length;			/* of the slug, in characters */
	const char *separator;
	int			separator_length;
	int			max_length;
	bool		full;
} SlugWriter;

/*
 * What ICU makes of a single letter, where that does not depend on the
 * letters around it: of the Latin and Cyrillic alphabets, with their
 * punctuation and signs.  ICU is called once for each.
 */
#define LATIN_END		0x0250
#define CYRILLIC_BEGIN	0x0400
#define CYRILLIC_END	0x0500
#define SIGNS_BEGIN		0x2000
#define SIGNS_END		0x2200

#define LETTERS (LATIN_END + (CYRILLIC_END - CYRILLIC_BEGIN) + (SIGNS_END - SIGNS_BEGIN))

typedef enum LetterState
{
	LETTER_UNKNOWN,
	LETTER_KNOWN,
	LETTER_TOO_LONG				/* for this table: ICU is called every time */
} LetterState;

typedef struct Letter
{
	uint8		state;
	uint8		length;
	UChar		latin[5];
} Letter;

static Letter letters[LETTERS];

/* Opening it takes longer than making a thousand slugs, so it stays open. */
static UTransliterator *transliterator = NULL;

static void
report_icu_error(UErrorCode status)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("could not transliterate text to Latin letters: %s",
					u_errorName(status)),
			 errhint("Check that the data files of the server's ICU library are installed.")));
}

static void
open_transliterator(void)
{
	UErrorCode	status = U_ZERO_ERROR;
	UChar		id[sizeof(TRANSLITERATION)];

	u_charsToUChars(TRANSLITERATION, id, sizeof(TRANSLITERATION));
	transliterator = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	if (U_FAILURE(status))
	{
		transliterator = NULL;
		report_icu_error(status);
	}
}

/*
 * Ends a word and adds it to the slug.  A word that does not fit ends the
 * slug before it; only the first word may be truncated.
 */
static void
end_word(SlugWriter *writer)
{
	int			separator = writer->slug.len > 0 ? writer->separator_length : 0;

	if (writer->word.len == 0 || writer->full)
		return;
	if (writer->max_length != DT_SLUG_UNLIMITED &&
		writer->length + separator + writer->word.len > writer->max_length)
	{
		writer->full = true;
		if (writer->slug.len == 0)
			appendBinaryStringInfo(&writer->slug, writer->word.data,
								   writer->max_length);
		return;
	}

	if (separator > 0)
		appendStringInfoString(&writer->slug, writer->separator);
	appendBinaryStringInfo(&writer->slug, writer->word.data, writer->word.len);
	writer->length += separator + writer->word.len;
	resetStringInfo(&writer->word);
}

/* The rest of a word that is already too long can be ignored. */
static void
add_to_word(SlugWriter *writer, char c)
{
	appendStringInfoChar(&writer->word, c);
	if (writer->max_length != DT_SLUG_UNLIMITED &&
		writer->word.len > writer->max_length)
		end_word(writer);
}

static void
add_code_point(SlugWriter *writer, UChar32 c)
{
	char		name[16];

	snprintf(name, sizeof(name), "u%x", (unsigned int) c);
	for (const char *p = name; *p != '\0'; p++)
		add_to_word(writer, *p);
}

static bool
is_ascii_word(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

/*
 * Whether a character is ignored inside a word: marks, and the apostrophe and
 * quote, which stand for the soft and hard signs of Cyrillic.
 */
static bool
is_silent(UChar32 c)
{
	return c == '\'' || c == '"' ||
		(U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_LM_MASK)) != 0;
}

static void
add_character(SlugWriter *writer, UChar32 c)
{
	if (c < 0x80 && is_ascii_word(c))
		add_to_word(writer, pg_ascii_tolower((unsigned char) c));
	else if (is_silent(c))
		return;
	else if (c >= 0x80 && u_charDigitValue(c) >= 0)
		add_to_word(writer, '0' + u_charDigitValue(c));
	else if (c >= 0x80 && u_isalnum(c))
		add_code_point(writer, c);
	else
		end_word(writer);
}

static void
add_latin(SlugWriter *writer, const UChar *text, int32_t length)
{
	int32_t		i = 0;

	while (i < length && !writer->full)
	{
		UChar32		c;

		U16_NEXT(text, i, length, c);
		add_character(writer, c);
	}
}

/*
 * Writes a text in Latin letters.  The result, of so many characters, is in
 * the buffer if there is room for them.
 */
static int32_t
transliterate(const char *text, int length, UChar *buffer, int32_t capacity)
{
	UErrorCode	status = U_ZERO_ERROR;
	int32_t		result;
	int32_t		limit;

	if (transliterator == NULL)
		open_transliterator();
	u_strFromUTF8(buffer, capacity, &result, text, length, &status);
	if (U_FAILURE(status))
		report_icu_error(status);

	limit = result;
	utrans_transUChars(transliterator, buffer, &result, capacity, 0, &limit,
					   &status);
	if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR)
		report_icu_error(status);
	return result;
}

/* Where the table has the letter; -1 if it has not. */
static int
letter_index(pg_wchar c)
{
	if (c < LATIN_END)
		return c;
	if (c >= CYRILLIC_BEGIN && c < CYRILLIC_END)
		return LATIN_END + (c - CYRILLIC_BEGIN);
	if (c >= SIGNS_BEGIN && c < SIGNS_END)
		return LATIN_END + (CYRILLIC_END - CYRILLIC_BEGIN) + (c - SIGNS_BEGIN);
	return -1;
}

static void
learn_letter(Letter *letter, const char *text, int length)
{
	UChar		buffer[16];
	int32_t		result = transliterate(text, length, buffer, lengthof(buffer));

	letter->state = LETTER_TOO_LONG;
	if (result > (int32_t) lengthof(letter->latin))
		return;
	memcpy(letter->latin, buffer, sizeof(UChar) * result);
	letter->length = result;
	letter->state = LETTER_KNOWN;
}

/* The letter at the beginning of a text; NULL if the table has it not. */
static const Letter *
find_letter(const char *text, int length)
{
	int			index = letter_index(utf8_to_unicode((const unsigned char *) text));

	if (index < 0)
		return NULL;
	if (letters[index].state == LETTER_UNKNOWN)
		learn_letter(&letters[index], text, length);
	return letters[index].state == LETTER_KNOWN ? &letters[index] : NULL;
}

/* Whether each character of the text is ASCII or a letter of the table. */
static bool
is_simple(const char *text, int length)
{
	for (int i = 0; i < length;)
	{
		int			size = pg_utf_mblen((const unsigned char *) &text[i]);

		if (size > 1 && find_letter(&text[i], size) == NULL)
			return false;
		i += size;
	}
	return true;
}

static void
add_simple(SlugWriter *writer, const char *text, int length)
{
	for (int i = 0; i < length && !writer->full;)
	{
		int			size = pg_utf_mblen((const unsigned char *) &text[i]);
		const Letter *letter = size > 1 ? find_letter(&text[i], size) : NULL;

		if (letter == NULL)
			add_character(writer, text[i]);
		else
			add_latin(writer, letter->latin, letter->length);
		i += size;
	}
}

static void
add_chunk(SlugWriter *writer, const char *text, int length)
{
	int32_t		capacity = 4 * length + 64;
	UChar	   *buffer;
	int32_t		result;

	if (is_simple(text, length))
	{
		add_simple(writer, text, length);
		return;
	}

	buffer = palloc(sizeof(UChar) * capacity);
	result = transliterate(text, length, buffer, capacity);
	if (result > capacity)
	{
		capacity = result;
		buffer = repalloc(buffer, sizeof(UChar) * capacity);
		result = transliterate(text, length, buffer, capacity);
	}
	add_latin(writer, buffer, result);
	pfree(buffer);
}

/*
 * Where the next chunk ends: what ICU does with a character depends on its
 * neighbours in the word, so between words where there are any.
 */
static int
chunk_length(const char *text, int length)
{
	int			end = CHUNK_SIZE;

	if (length <= CHUNK_SIZE)
		return length;
	while (end > CHUNK_SIZE / 2 && text[end] != ' ' && text[end] != '\n')
		end--;
	return end > CHUNK_SIZE / 2 ? end :
		pg_encoding_mbcliplen(PG_UTF8, text, length, CHUNK_SIZE);
}

/* For a text of letters that all are silent: they are better than nothing. */
static void
add_silent(SlugWriter *writer, const char *text, int length)
{
	for (int i = 0; i < length && !writer->full;)
	{
		pg_wchar	c = utf8_to_unicode((const unsigned char *) &text[i]);

		if (u_isalnum(c))
			add_code_point(writer, c);
		else
			end_word(writer);
		i += pg_utf_mblen((const unsigned char *) &text[i]);
	}
	end_word(writer);
}

static void
add_text(SlugWriter *writer, const char *text, int length)
{
	while (length > 0 && !writer->full)
	{
		int			chunk = chunk_length(text, length);

		CHECK_FOR_INTERRUPTS();
		add_chunk(writer, text, chunk);
		text += chunk;
		length -= chunk;
	}
	end_word(writer);
}

/*
 * The slug of a text in the database's encoding: its words in lower case,
 * with the separator between them, no longer than max_length unless that is
 * DT_SLUG_UNLIMITED.  Empty if the text has neither letters nor digits.
 */
char *
dtmodel_slugify(const char *text, int length, const char *separator,
				int max_length)
{
	SlugWriter	writer = {
		.separator = separator,
		.separator_length = pg_mbstrlen(separator),
		.max_length = max_length,
	};
	char	   *utf8 = pg_server_to_any(text, length, PG_UTF8);

	if (utf8 != text)
		length = strlen(utf8);
	initStringInfo(&writer.slug);
	initStringInfo(&writer.word);
	add_text(&writer, utf8, length);
	if (writer.slug.len == 0)
		add_silent(&writer, utf8, length);
	return writer.slug.data;
}

#else							/* !USE_ICU */

char *
dtmodel_slugify(const char *text pg_attribute_unused(),
				int length pg_attribute_unused(),
				const char *separator pg_attribute_unused(),
				int max_length pg_attribute_unused())
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("slugs require a server that was built with ICU"),
			 errdetail("ICU transliterates other scripts to Latin letters."),
			 errhint("Use a server that was built with ICU, or make slugs in the application.")));
	return NULL;
}

#endif							/* USE_ICU */

static int
max_length_argument(int max_length)
{
	if (max_length < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_length must be at least 1"),
				 errdetail("It is %d.", max_length),
				 errhint("Omit it for slugs of any length.")));
	return max_length;
}

/*
 * slugify(source text, separator text DEFAULT '-',
 *		   max_length integer DEFAULT NULL) returns text
 *
 * The text in lower case Latin letters and digits of ASCII, its words parted
 * by the separator.  max_length keeps whole words, but for a first word that
 * is longer; NULL is without limit.  Empty only for a text with neither
 * letters nor digits.  NULL for NULL, a NULL separator is the default.  0A000
 * where the server has no ICU.
 *
 * Source: SlugMixin.generate_slug of the reference document
 * sqlalchemy-conventions.
 */
Datum
dtmodel_slugify_text(PG_FUNCTION_ARGS)
{
	text	   *source;
	const char *separator = PG_ARGISNULL(1) ? "-" :
		text_to_cstring(PG_GETARG_TEXT_PP(1));
	int			max_length = PG_ARGISNULL(2) ? DT_SLUG_UNLIMITED :
		max_length_argument(PG_GETARG_INT32(2));

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	source = PG_GETARG_TEXT_PP(0);
	PG_RETURN_TEXT_P(cstring_to_text(dtmodel_slugify(VARDATA_ANY(source),
													 VARSIZE_ANY_EXHDR(source),
													 separator, max_length)));
}
