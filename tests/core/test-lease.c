/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-lease.h"

#include <string.h>

/* -- every interleaving ------------------------------------------------------------------------------------------ */

/* Readers map, read and unmap, each twice; the owner evacuates as soon as it may, gives the engine's memory back, and then
 * the engine writes into it. Every order of their atomic steps is walked through: the word is small, and each step of a
 * thread is one operation on it (or on the memory), so a depth-first search over all states is a proof for these numbers. */
#define READERS 3
#define ROUNDS  2

typedef enum { READER_IDLE, READER_MAPPED_ENGINE, READER_MAPPED_COPY } ReaderStep;
typedef enum { OWNER_HOLDS, OWNER_COPIES, OWNER_HAS_COPIED, OWNER_IS_FREE, OWNER_GAVE_BACK } OwnerStep;

typedef struct {
  guint32 word;
  guint8 owner;
  guint8 copied; /* the copy is whole */
  guint8 reader[READERS];
  guint8 rounds[READERS];
} State;

typedef struct {
  GHashTable *seen; /* State as bytes */
  guint ends;
} Walk;

static void
check (const State *state)
{
  guint engine_readers = 0, maps = 0;

  for (guint i = 0; i < READERS; i++) {
    engine_readers += state->reader[i] == READER_MAPPED_ENGINE;
    maps += state->reader[i] != READER_IDLE;
    if (state->reader[i] == READER_MAPPED_COPY)
      g_assert_true (state->copied); /* nobody reads half a copy */
  }
  if (state->owner != OWNER_HOLDS)
    g_assert_cmpuint (engine_readers, ==, 0); /* nobody reads what is moved or gone */
  g_assert_cmpuint (state->word / ZC_LEASE_MAP, ==, maps);
}

static void walk (Walk *walk_, const State *state);

static void
step_reader (Walk *walk_, State state, guint i)
{
  guint32 next;

  if (state.reader[i] != READER_IDLE) {
    state.reader[i] = READER_IDLE;
    state.rounds[i]++;
    state.word -= ZC_LEASE_MAP;
    walk (walk_, &state);
  } else if (state.rounds[i] < ROUNDS && zc_lease_word_map (state.word, &next)) {
    state.word = next;
    state.reader[i] = (next & ZC_LEASE_STATE) == ZC_LEASE_LEASED ? READER_MAPPED_ENGINE : READER_MAPPED_COPY;
    walk (walk_, &state);
  }
}

static gboolean
step_owner (Walk *walk_, State state)
{
  guint32 next;

  switch ((OwnerStep) state.owner) {
    case OWNER_HOLDS:
      if (!zc_lease_word_begin (state.word, &next))
        return FALSE; /* it tries again later */
      state.word = next;
      break;
    case OWNER_COPIES:
      state.copied = TRUE;
      break;
    case OWNER_HAS_COPIED:
      state.word = ZC_LEASE_POOLED;
      break;
    case OWNER_IS_FREE:
      break;
    case OWNER_GAVE_BACK:
      return FALSE;
  }
  state.owner++;
  walk (walk_, &state);
  return TRUE;
}

static void
walk (Walk *walk_, const State *state)
{
  gboolean moved = FALSE;

  check (state);
  if (!g_hash_table_add (walk_->seen, g_bytes_new (state, sizeof *state)))
    return;
  for (guint i = 0; i < READERS; i++) {
    moved |= state->reader[i] != READER_IDLE || state->rounds[i] < ROUNDS;
    step_reader (walk_, *state, i);
  }
  if (!step_owner (walk_, *state) && !moved) {
    g_assert_cmpuint (state->owner, ==, OWNER_GAVE_BACK); /* once nobody reads, nothing is in the owner's way */
    walk_->ends++;
  }
}

static void
no_interleaving_shows_moving_memory (void)
{
  Walk walk_ = { .seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL) };
  State begin;

  memset (&begin, 0, sizeof begin);
  begin.word = ZC_LEASE_LEASED;
  walk (&walk_, &begin);
  g_test_message ("%u states", g_hash_table_size (walk_.seen));
  g_assert_cmpuint (walk_.ends, ==, 1);
  g_hash_table_unref (walk_.seen);
}

/* -- real threads ------------------------------------------------------------------------------------------------ */

#define PACKET_BYTES 512
#define N_PACKETS    20000
#define N_THREADS    4

/* One packet after the other, in one lease: the engine overwrites its memory as soon as it has it back. */
typedef struct {
  ZcLease lease;
  guint8 engine[PACKET_BYTES];
  guint8 block[PACKET_BYTES];
  _Atomic guint32 open; /* readers in the present packet, or CLOSED */
  _Atomic guint number; /* of the present packet; its bytes are byte_of() it */
  _Atomic guint engine_reads, copy_reads;
  _Atomic gboolean ended;
} Shared;

#define CLOSED 0x80000000u

static guint8
byte_of (guint number)
{
  return (guint8) (number % 200);
}

/* Each packet once or twice: who maps without a pause would never let go of one. */
static gpointer
read_packets (gpointer data)
{
  Shared *shared = data;
  guint last = 0, times = 0;

  while (!atomic_load (&shared->ended)) {
    guint32 readers = atomic_load (&shared->open);
    const guint8 *bytes;
    guint number;

    /* As a reference to the memory: without one, nobody maps. */
    if ((readers & CLOSED) != 0 || !atomic_compare_exchange_strong (&shared->open, &readers, readers + 1)) {
      g_thread_yield ();
      continue;
    }
    number = atomic_load (&shared->number);
    times = number == last ? times + 1 : 0;
    last = number;
    if (times < 2) {
      gboolean leased = zc_lease_map (&shared->lease);
      bytes = leased ? shared->engine : shared->block;
      for (guint i = 0; i < PACKET_BYTES; i++)
        g_assert_cmpuint (bytes[i], ==, byte_of (number));
      zc_lease_unmap (&shared->lease);
      atomic_fetch_add (leased ? &shared->engine_reads : &shared->copy_reads, 1);
    }
    atomic_fetch_sub (&shared->open, 1);
    g_thread_yield ();
  }
  return NULL;
}

static void
evacuate (Shared *shared)
{
  while (!zc_lease_begin_evacuation (&shared->lease))
    zc_lease_wait (&shared->lease, 5 * G_USEC_PER_SEC); /* others may have mapped it since: try again */
  memcpy (shared->block, shared->engine, PACKET_BYTES);
  zc_lease_end_evacuation (&shared->lease);
  memset (shared->engine, 0xEE, PACKET_BYTES); /* the engine has it back */
}

/* For ThreadSanitizer as much as for the assertions. */
static void
readers_see_one_packet_whole (void)
{
  g_autofree Shared *shared = g_new0 (Shared, 1);
  GThread *threads[N_THREADS];

  atomic_store (&shared->open, CLOSED);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("reader", read_packets, shared);
  for (guint i = 0; i < N_PACKETS; i++) {
    guint32 nobody = 0;

    memset (shared->engine, byte_of (i), PACKET_BYTES);
    atomic_store (&shared->number, i);
    zc_lease_init (&shared->lease, TRUE);
    atomic_store (&shared->open, 0);
    while (i % 2 == 0 && atomic_load (&shared->engine_reads) < i / 2)
      g_thread_yield ();
    evacuate (shared);
    for (guint turn = 0; i % 4 == 0 && turn < 2; turn++)
      g_thread_yield ();
    while (!atomic_compare_exchange_weak (&shared->open, &nobody, CLOSED)) {
      nobody = 0;
      g_thread_yield ();
    }
  }
  atomic_store (&shared->ended, TRUE);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_test_message ("%u read from the engine, %u from the copy", atomic_load (&shared->engine_reads),
      atomic_load (&shared->copy_reads));
  g_assert_cmpuint (atomic_load (&shared->copy_reads), >, 0);
}

static void
wait_ends_at_its_bound (void)
{
  gint64 begin_us = g_get_monotonic_time ();
  ZcLease lease;

  zc_lease_init (&lease, TRUE);
  g_assert_true (zc_lease_wait (&lease, 0));
  g_assert_true (zc_lease_map (&lease));
  g_assert_false (zc_lease_begin_evacuation (&lease));
  g_assert_false (zc_lease_wait (&lease, 1000));
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, G_USEC_PER_SEC);
  zc_lease_unmap (&lease);
  g_assert_true (zc_lease_begin_evacuation (&lease));
  zc_lease_end_evacuation (&lease);
  g_assert_false (zc_lease_map (&lease));
  zc_lease_unmap (&lease);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lease/no-interleaving-shows-moving-memory", no_interleaving_shows_moving_memory);
  g_test_add_func ("/lease/readers-see-one-packet-whole", readers_see_one_packet_whole);
  g_test_add_func ("/lease/wait-ends-at-its-bound", wait_ends_at_its_bound);
  return g_test_run ();
}
