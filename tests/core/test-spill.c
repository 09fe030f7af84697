/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the sound goes that a late reader has not taken: copies, in their order, as many as there is room for. */
#include "zc-backend-pipewire/spill.h"

#include <string.h>

#define ROOM 100

static const guint8 *
put (ZcPipeWireSpill *spill, gsize bytes, guint8 value, gsize *space)
{
  guint8 data[2 * ROOM];

  memset (data, value, sizeof data);
  return zc_pipewire_spill_put (spill, data, bytes, space);
}

static void
assert_is (const guint8 *copy, gsize bytes, guint8 value)
{
  g_assert_nonnull (copy);
  for (gsize i = 0; i < bytes; i++)
    g_assert_cmpuint (copy[i], ==, value);
}

static void
what_has_no_room_is_refused (void)
{
  ZcPipeWireSpill spill;
  const guint8 *first, *second;
  gsize space[2], none = 12345;

  zc_pipewire_spill_init (&spill, ROOM);
  first = put (&spill, 60, 1, &space[0]);
  g_assert_null (put (&spill, 41, 9, &none));
  second = put (&spill, 40, 2, &space[1]);
  g_assert_null (put (&spill, 1, 9, &none));
  g_assert_cmpuint (none, ==, 12345);
  assert_is (first, 60, 1);
  assert_is (second, 40, 2);
  zc_pipewire_spill_take (&spill, space[0]);
  assert_is (put (&spill, 60, 3, &space[0]), 60, 3);
  assert_is (second, 40, 2);
  zc_pipewire_spill_clear (&spill);
}

static void
no_copy_is_in_two_pieces (void)
{
  ZcPipeWireSpill spill;
  gsize space[3];
  const guint8 *second;

  zc_pipewire_spill_init (&spill, ROOM);
  put (&spill, 50, 1, &space[0]);
  second = put (&spill, 30, 2, &space[1]);
  g_assert_null (put (&spill, 40, 3, &space[2])); /* 20 at the end, none before */
  zc_pipewire_spill_take (&spill, space[0]);
  assert_is (put (&spill, 40, 3, &space[2]), 40, 3);
  assert_is (second, 30, 2);
  g_assert_cmpuint (space[2], ==, 60);
  zc_pipewire_spill_take (&spill, space[1]);
  zc_pipewire_spill_take (&spill, space[2]);
  assert_is (put (&spill, 60, 4, &space[0]), 60, 4);
  zc_pipewire_spill_clear (&spill);
}

static void
what_is_larger_than_all_of_it_is_refused (void)
{
  ZcPipeWireSpill spill;
  gsize space;

  zc_pipewire_spill_init (&spill, ROOM);
  g_assert_null (put (&spill, ROOM + 1, 1, &space));
  assert_is (put (&spill, ROOM, 1, &space), ROOM, 1);
  zc_pipewire_spill_clear (&spill);
}

/* -- two threads ------------------------------------------------------------------------------------------------- */

#define COPIES 200000
#define SLOTS  16

typedef struct {
  ZcPipeWireSpill spill;
  const guint8 *copies[SLOTS];
  gsize spaces[SLOTS];
  _Atomic guint made;
  _Atomic guint read;
} Pair;

static gsize
length_of (guint number)
{
  return 1 + number * 7 % 40;
}

static gpointer
write_all (gpointer data)
{
  Pair *pair = data;

  for (guint number = 0; number < COPIES;) {
    guint slot = number % SLOTS;

    if (number - atomic_load (&pair->read) < SLOTS
        && (pair->copies[slot] = put (&pair->spill, length_of (number), (guint8) number, &pair->spaces[slot])) != NULL)
      atomic_store (&pair->made, ++number);
    else
      g_thread_yield ();
  }
  return NULL;
}

static void
one_writes_while_another_one_reads (void)
{
  Pair pair = { 0 };
  GThread *writer;

  zc_pipewire_spill_init (&pair.spill, ROOM);
  writer = g_thread_new ("writer", write_all, &pair);
  for (guint number = 0; number < COPIES;) {
    guint slot = number % SLOTS;

    if (atomic_load (&pair.made) == number) {
      g_thread_yield ();
      continue;
    }
    assert_is (pair.copies[slot], length_of (number), (guint8) number);
    zc_pipewire_spill_take (&pair.spill, pair.spaces[slot]);
    atomic_store (&pair.read, ++number);
  }
  g_thread_join (writer);
  zc_pipewire_spill_clear (&pair.spill);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spill/what-has-no-room-is-refused", what_has_no_room_is_refused);
  g_test_add_func ("/spill/no-copy-is-in-two-pieces", no_copy_is_in_two_pieces);
  g_test_add_func ("/spill/what-is-larger-than-all-of-it-is-refused", what_is_larger_than_all_of_it_is_refused);
  g_test_add_func ("/spill/one-writes-while-another-one-reads", one_writes_while_another_one_reads);
  return g_test_run ();
}
