/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz.h: an input that is read byte by byte; after its end all is 0. */
#pragma once

#include <glib.h>

typedef struct {
  const guint8 *data;
  gsize left;
} FuzzInput;

static inline void
fuzz_input_init (FuzzInput *input, const guint8 *data, gsize size)
{
  *input = (FuzzInput){ data, size };
}

static inline gboolean
fuzz_is_over (const FuzzInput *input)
{
  return input->left == 0;
}

static inline guint8
fuzz_byte (FuzzInput *input)
{
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->data++;
}

/* 0 to max. */
static inline guint
fuzz_uint (FuzzInput *input, guint max)
{
  guint value = fuzz_byte (input);

  value = value << 8 | fuzz_byte (input);
  if (max > 0xffff)
    value = value << 8 | fuzz_byte (input);
  return max == G_MAXUINT ? value : value % (max + 1);
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);
