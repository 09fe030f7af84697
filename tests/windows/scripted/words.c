/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* Takes one word from *in, quotes removed, to *out; both move on. */
static bool
cut_word (const char **in, char **out)
{
  bool quoted = false;

  while (**in && (quoted || (**in != ' ' && **in != '\t' && **in != '\r'))) {
    if (**in == '"')
      quoted = !quoted;
    else
      *(*out)++ = **in;
    (*in)++;
  }
  *(*out)++ = '\0';
  return !quoted;
}

bool
sa_words_split (SaWords *words, const char *line, unsigned length)
{
  char copy[sizeof words->text];
  const char *in = copy;
  char *out = words->text;

  words->count = words->next = 0;
  if (length >= sizeof copy)
    return false;
  memcpy (copy, line, length);
  copy[length] = '\0';
  for (;;) {
    in += strspn (in, " \t\r");
    if (!*in || *in == '#')
      return true;
    if (words->count == SA_MAX_WORDS)
      return false;
    words->words[words->count++] = out;
    if (!cut_word (&in, &out))
      return false;
  }
}

const char *
sa_words_peek (const SaWords *words)
{
  return words->next < words->count ? words->words[words->next] : NULL;
}

const char *
sa_words_take (SaWords *words)
{
  const char *word = sa_words_peek (words);

  if (word)
    words->next++;
  return word;
}

bool
sa_words_match (SaWords *words, const char *word)
{
  const char *next = sa_words_peek (words);

  if (!next || strcmp (next, word))
    return false;
  words->next++;
  return true;
}

const char *
sa_word_value (const char *word, const char *key)
{
  size_t length = strlen (key);

  return strncmp (word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

bool
sa_word_number (const char *word, unsigned long *number)
{
  char *end;
  unsigned long found;

  if (!word || !*word)
    return false;
  found = strtoul (word, &end, 0);
  if (*end)
    return false;
  *number = found;
  return true;
}

/* A number and one of `units`, each followed by its factor. */
static bool
with_unit (const char *word, const char *const *units, const double *factors, double *value)
{
  char *end;
  double found;

  if (!word || !*word)
    return false;
  found = strtod (word, &end);
  for (; end != word && *units; units++, factors++) {
    if (strcmp (end, *units) == 0) {
      *value = found * *factors;
      return true;
    }
  }
  return false;
}

bool
sa_word_seconds (const char *word, double *seconds)
{
  static const char *const units[] = { "", "s", "ms", "us", NULL };
  static const double factors[] = { 1, 1, 1e-3, 1e-6 };

  return with_unit (word, units, factors, seconds);
}

bool
sa_word_ppm (const char *word, double *ppm)
{
  static const char *const units[] = { "", "ppm", NULL };
  static const double factors[] = { 1, 1 };

  return with_unit (word, units, factors, ppm);
}
