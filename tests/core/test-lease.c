/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-lease.h"

#include <string.h>

/* -- every interleaving ------------------------------------------------------------------------------------------ */

/* Readers map, read and unmap, each twice; the owner evacuates as soon as it may, gives the engine's memory back, and
 * then the engine writes into it. Every order of their atomic steps is walked through: the word is small, and each step
 * of a thread is one operation on it (or on the memory), so a depth-first search over all states is a proof for these
 * numbers. */
#define READERS 3
#define ROUNDS 2

typedef enum { READER_IDLE, READER_MAPPED_ENGINE, READER_MAPPED_COPY } ReaderStep;
typedef enum { OWNER_HOLDS, OWNER_COPIES, OWNER_HAS_COPIED, OWNER_IS_FREE, OWNER_GAVE_BACK } OwnerStep;

typedef struct {
  guint32 word;
  guint8 owner;
  guint8 copied; /* the copy is whole */
  guint8 reader[READERS];
  guint8 rounds[READERS];
} State;

/* The transitions of the word: ours, or wrong ones. */
typedef struct {
  gboolean (*map) (guint32 word, guint32 *next);
  gboolean (*begin) (guint32 word, guint32 *next);
} Rules;

typedef struct {
  Rules rules;
  GHashTable *seen; /* State as bytes */
  guint ends;
  guint half_copies; /* states in which somebody reads one */
  guint moved;       /* ... reads the engine's memory while it is copied, or when it is gone */
  guint miscounted;  /* ... in which the word has another number of maps than there are */
} Walk;

static void
check (Walk *walk_, const State *state)
{
  guint engine_readers = 0, copy_readers = 0;

  for (guint i = 0; i < READERS; i++) {
    engine_readers += state->reader[i] == READER_MAPPED_ENGINE;
    copy_readers += state->reader[i] == READER_MAPPED_COPY;
  }
  walk_->half_copies += copy_readers > 0 && !state->copied;
  walk_->moved += engine_readers > 0 && state->owner != OWNER_HOLDS;
  walk_->miscounted += state->word / ZC_LEASE_MAP != engine_readers + copy_readers;
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
  } else if (state.rounds[i] < ROUNDS && walk_->rules.map (state.word, &next)) {
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
      if (!walk_->rules.begin (state.word, &next))
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

  check (walk_, state);
  if (!g_hash_table_add (walk_->seen, g_bytes_new (state, sizeof *state)))
    return;
  for (guint i = 0; i < READERS; i++) {
    moved |= state->reader[i] != READER_IDLE || state->rounds[i] < ROUNDS;
    step_reader (walk_, *state, i);
  }
  if (!step_owner (walk_, *state) && !moved) {
    walk_->ends += state->owner == OWNER_GAVE_BACK;
  }
}

static Walk
walk_all (gboolean (*map) (guint32, guint32 *), gboolean (*begin) (guint32, guint32 *))
{
  Walk walk_ = { .rules = { map, begin },
    .seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL) };
  State state;

  memset (&state, 0, sizeof state);
  state.word = ZC_LEASE_LEASED;
  walk (&walk_, &state);
  g_test_message ("%u states, half copies read in %u, moved memory in %u, maps miscounted in %u",
      g_hash_table_size (walk_.seen), walk_.half_copies, walk_.moved, walk_.miscounted);
  g_hash_table_unref (walk_.seen);
  return walk_;
}

static void
no_interleaving_shows_moving_memory (void)
{
  Walk walk_ = walk_all (zc_lease_word_map, zc_lease_word_begin);

  g_assert_cmpuint (walk_.half_copies + walk_.moved + walk_.miscounted, ==, 0);
  g_assert_cmpuint (walk_.ends, ==, 1); /* once nobody reads, nothing is in the owner's way */
}

/* -- rules that are wrong, so that we know that the walk would tell ---------------------------------------------- */

static gboolean
map_at_any_time (guint32 word, guint32 *next)
{
  *next = word + ZC_LEASE_MAP;
  return TRUE;
}

static gboolean
begin_under_readers (guint32 word, guint32 *next)
{
  *next = (word & ~ZC_LEASE_STATE) | ZC_LEASE_EVACUATING;
  return (word & ZC_LEASE_STATE) == ZC_LEASE_LEASED;
}

static gboolean
begin_and_forget_the_maps (guint32 word, guint32 *next)
{
  *next = ZC_LEASE_EVACUATING;
  return (word & ZC_LEASE_STATE) == ZC_LEASE_LEASED;
}

static void
walk_finds_what_is_wrong (void)
{
  g_assert_cmpuint (walk_all (map_at_any_time, zc_lease_word_begin).half_copies, >, 0);
  g_assert_cmpuint (walk_all (zc_lease_word_map, begin_under_readers).moved, >, 0);
  g_assert_cmpuint (walk_all (zc_lease_word_map, begin_and_forget_the_maps).miscounted, >, 0);
}

/* -- real threads ------------------------------------------------------------------------------------------------ */

#define PACKET_BYTES 512
#define N_PACKETS 20000 /* unless ZC_EVACUATIONS says how many */
#define CARELESS_US (30 * G_USEC_PER_SEC)
#define N_THREADS 4

/* One packet after the other, in one lease: the engine overwrites its memory as soon as it has it back. */
typedef struct {
  ZcLease lease;
  guint8 engine[PACKET_BYTES];
  guint8 block[PACKET_BYTES];
  _Atomic guint32 open; /* readers in the present packet, or CLOSED */
  _Atomic guint number; /* of the present packet; its bytes are byte_of() it */
  _Atomic guint engine_reads, copy_reads;
  _Atomic gboolean ended;
  gboolean careless; /* the owner does not ask who reads */
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
  while (!shared->careless && !zc_lease_begin_evacuation (&shared->lease))
    /* Others may have mapped it since: try again. */
    zc_lease_wait (&shared->lease, g_get_monotonic_time () + 5 * G_USEC_PER_SEC);
  memcpy (shared->block, shared->engine, PACKET_BYTES);
  zc_lease_end_evacuation (&shared->lease);
  memset (shared->engine, 0xEE, PACKET_BYTES); /* the engine has it back */
}

static guint
n_packets (void)
{
  const gchar *text = g_getenv ("ZC_EVACUATIONS");

  return text != NULL ? (guint) g_ascii_strtoull (text, NULL, 10) : N_PACKETS;
}

/* For ThreadSanitizer as much as for the assertions. Carelessness goes on until somebody tells, which on a busy machine
 * takes a while. */
static void
evacuate_under_readers (gboolean careless)
{
  g_autofree Shared *shared = g_new0 (Shared, 1);
  GThread *threads[N_THREADS];
  gint64 deadline_us = g_get_monotonic_time () + CARELESS_US;
  guint packets = n_packets ();

  shared->careless = careless;
  atomic_store (&shared->open, CLOSED);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("reader", read_packets, shared);
  for (guint i = 0; careless ? g_get_monotonic_time () < deadline_us : i < packets; i++) {
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
  g_test_message ("%u evacuations, %u read from the engine, %u from the copy", packets,
      atomic_load (&shared->engine_reads), atomic_load (&shared->copy_reads));
  g_assert_cmpuint (atomic_load (&shared->copy_reads), >, 0);
}

static void
readers_see_one_packet_whole (void)
{
  evacuate_under_readers (FALSE);
}

/* The same readers, and an owner who overwrites memory under them: they would tell. */
static void
readers_find_what_is_wrong (void)
{
  if (g_test_subprocess ()) {
    evacuate_under_readers (TRUE);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
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
  g_assert_false (zc_lease_wait (&lease, g_get_monotonic_time () + 1000));
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
  g_test_add_func ("/lease/walk-finds-what-is-wrong", walk_finds_what_is_wrong);
  g_test_add_func ("/lease/readers-see-one-packet-whole", readers_see_one_packet_whole);
  g_test_add_func ("/lease/readers-find-what-is-wrong", readers_find_what_is_wrong);
  g_test_add_func ("/lease/wait-ends-at-its-bound", wait_ends_at_its_bound);
  return g_test_run ();
}
