/*-------------------------------------------------------------------------
 *
 * inflection.c
 *	  English singular and plural, for the names of tables and classes.
 *
 * Rules for regular words, and a list of those for which the rules would be
 * wrong.  Words are in lower case.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/inflection.h"

typedef struct Irregular
{
	const char *singular;
	const char *plural;
} Irregular;

static const Irregular irregulars[] = {
	/* what has no plural of its own */
	{"data", "data"}, {"equipment", "equipment"}, {"feedback", "feedback"},
	{"fish", "fish"}, {"information", "information"}, {"metadata", "metadata"},
	{"money", "money"}, {"news", "news"}, {"series", "series"},
	{"sheep", "sheep"}, {"species", "species"}, {"staff", "staff"},

	/* other vowels, other endings */
	{"child", "children"}, {"foot", "feet"}, {"goose", "geese"},
	{"man", "men"}, {"mouse", "mice"}, {"ox", "oxen"}, {"person", "people"},
	{"tooth", "teeth"}, {"woman", "women"},

	/* if two words have the same plural, the first is its singular */
	{"base", "bases"},

	/* Greek and Latin */
	{"analysis", "analyses"}, {"appendix", "appendices"}, {"axis", "axes"}, {"basis", "bases"},
	{"crisis", "crises"}, {"criterion", "criteria"},
	{"curriculum", "curricula"}, {"diagnosis", "diagnoses"},
	{"hypothesis", "hypotheses"}, {"index", "indexes"}, {"index", "indices"},
	{"matrix", "matrices"}, {"medium", "media"},
	{"phenomenon", "phenomena"}, {"synopsis", "synopses"},
	{"thesis", "theses"}, {"vertex", "vertices"},

	/* -f, -fe */
	{"half", "halves"}, {"knife", "knives"}, {"leaf", "leaves"},
	{"life", "lives"}, {"self", "selves"}, {"shelf", "shelves"},
	{"thief", "thieves"}, {"wife", "wives"}, {"wolf", "wolves"},

	/* -o that takes -es */
	{"echo", "echoes"}, {"hero", "heroes"}, {"potato", "potatoes"},
	{"tomato", "tomatoes"}, {"veto", "vetoes"},

	/* a single -s, which is no plural */
	{"alias", "aliases"}, {"atlas", "atlases"}, {"bias", "biases"},
	{"bonus", "bonuses"}, {"bus", "buses"}, {"campus", "campuses"},
	{"canvas", "canvases"}, {"census", "censuses"}, {"corpus", "corpora"},
	{"focus", "focuses"}, {"gas", "gases"}, {"iris", "irises"},
	{"lens", "lenses"}, {"status", "statuses"}, {"virus", "viruses"},

	/* -e that is part of the word, where the plural looks like -es or -ies */
	{"ache", "aches"}, {"avalanche", "avalanches"}, {"brioche", "brioches"},
	{"cache", "caches"}, {"calorie", "calories"}, {"cliche", "cliches"},
	{"cookie", "cookies"}, {"headache", "headaches"},
	{"moustache", "moustaches"}, {"movie", "movies"}, {"niche", "niches"},
	{"pie", "pies"}, {"quiche", "quiches"}, {"tie", "ties"},
	{"toothache", "toothaches"}, {"tranche", "tranches"},
	{"zombie", "zombies"},

	/* -ch pronounced as k */
	{"epoch", "epochs"}, {"eunuch", "eunuchs"}, {"hierarch", "hierarchs"},
	{"loch", "lochs"}, {"matriarch", "matriarchs"}, {"monarch", "monarchs"},
	{"oligarch", "oligarchs"}, {"patriarch", "patriarchs"},
	{"stomach", "stomachs"}, {"tech", "techs"},

	{"guru", "gurus"}, {"menu", "menus"}, {"quiz", "quizzes"},
};

static bool
ends_with(const char *word, const char *suffix)
{
	size_t		length = strlen(word);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		strcmp(word + length - suffix_length, suffix) == 0;
}

static bool
ends_with_any(const char *word, const char *const *suffixes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (ends_with(word, suffixes[i]))
			return true;
	}
	return false;
}

/* Whether a final y follows a consonant, as in "city" but not in "day". */
static bool
ends_with_consonant_y(const char *word)
{
	size_t		length = strlen(word);

	return length >= 2 && word[length - 1] == 'y' &&
		strchr("aeiou", word[length - 2]) == NULL;
}

/* The word without its last characters, and with an ending instead. */
static char *
replace_end(const char *word, size_t length, const char *ending)
{
	return psprintf("%.*s%s", (int) (strlen(word) - length), word, ending);
}

/* The plural of a singular word; a word that is a plural stays as it is. */
char *
dtmodel_pluralize(const char *word)
{
	static const char *const hissing[] = {"s", "x", "z", "ch", "sh"};

	for (size_t i = 0; i < lengthof(irregulars); i++)
	{
		if (strcmp(word, irregulars[i].singular) == 0)
			return pstrdup(irregulars[i].plural);
	}
	if (word[0] == '\0' || strcmp(dtmodel_singularize(word), word) != 0)
		return pstrdup(word);
	if (ends_with_consonant_y(word))
		return replace_end(word, 1, "ies");
	if (ends_with_any(word, hissing, lengthof(hissing)))
		return psprintf("%ses", word);
	return psprintf("%ss", word);
}

/* The singular of a plural word; a word that is a singular stays as it is. */
char *
dtmodel_singularize(const char *word)
{
	static const char *const singular[] = {"ss", "us", "is"};
	static const char *const hissing[] = {"sses", "xes", "zzes", "ches", "shes"};

	for (size_t i = 0; i < lengthof(irregulars); i++)
	{
		if (strcmp(word, irregulars[i].singular) == 0)
			return pstrdup(word);
		if (strcmp(word, irregulars[i].plural) == 0)
			return pstrdup(irregulars[i].singular);
	}
	if (strlen(word) < 3 || !ends_with(word, "s") ||
		ends_with_any(word, singular, lengthof(singular)))
		return pstrdup(word);
	if (ends_with(word, "ies"))
		return replace_end(word, 3, "y");
	if (ends_with_any(word, hissing, lengthof(hissing)))
		return replace_end(word, 2, "");
	return replace_end(word, 1, "");
}
