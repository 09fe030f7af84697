/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* words.h: a line of a script, cut into words; numbers with their units. */
#pragma once

#include <stdbool.h>

#define SA_MAX_WORDS 32

typedef struct {
  char text[1024];
  char *words[SA_MAX_WORDS];
  unsigned count;
  unsigned next; /* the first that was not taken */
} SaWords;

/* Words end at blanks, unless within "..."; # begins a comment. False: too long, or a quote is open. */
bool sa_words_split (SaWords *words, const char *line, unsigned length);

/* The next word, NULL at the end. */
const char *sa_words_take (SaWords *words);
const char *sa_words_peek (const SaWords *words);

/* If the next word is `word`, takes it. */
bool sa_words_match (SaWords *words, const char *word);

/* "key=value": the value, if the key is that; NULL if not. */
const char *sa_word_value (const char *word, const char *key);

/* "480", "0x88890004"; the whole word. */
bool sa_word_number (const char *word, unsigned long *number);

/* "1.5s", "20ms", "300us"; a bare number is seconds. */
bool sa_word_seconds (const char *word, double *seconds);

/* "+200ppm", "-200". */
bool sa_word_ppm (const char *word, double *ppm);
