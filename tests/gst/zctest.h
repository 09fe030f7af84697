/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zctest.h: an element on a simulated device, in a harness, with both clocks in the test's hand. */
#pragma once

#include "zc-backend-sim.h"

#include <gst/check/check.h>
#include <gst/check/gstharness.h>

#define FRAME_BYTES 8 /* F32LE stereo, what a script is by default */

typedef struct {
  GstHarness *harness;
  GstElement *element;
  guint64 pulled_frames; /* by OFFSETs, of this stream */
} ZcTest;

/* Plays `script` (see zc-backend-sim.h; clock=manual is added) with these properties, "name=value name=value" or NULL.
 * `sink_caps`: what downstream takes, NULL for anything. */
void zc_test_start (ZcTest *test, const gchar *script, const gchar *properties, const gchar *sink_caps);

/* The same, but for the state: whoever starts it expects it to fail. */
void zc_test_prepare (ZcTest *test, const gchar *script, const gchar *properties, const gchar *sink_caps);

/* NULL state; the frames add up within one packet; everything is let go. */
void zc_test_finish (ZcTest *test);

/* Time passes, for the device and the pipeline, once the streaming thread waits for it. */
void zc_test_crank_ms (ZcTest *test, guint ms);

/* Time passes, whether anybody waits for the device or not; a moment for who looks at the clock by himself. */
void zc_test_pass_ms (ZcTest *test, guint ms);

/* The next buffer; its PTS meets the one before, its OFFSETs too, unless it is DISCONT. */
GstBuffer *zc_test_pull (ZcTest *test);

/* The buffer counts from `first_frame`, F32LE stereo. */
void zc_test_assert_counts (GstBuffer *buffer, guint64 first_frame);

guint64 zc_test_stat (ZcTest *test, const gchar *name);

/* The next message of this type on the element's bus, waited for. */
GstMessage *zc_test_message (ZcTest *test, GstMessageType type);

/* Exactly one error is on the bus, of this domain and code, and `word` is in its text. */
void zc_test_assert_one_error (ZcTest *test, GQuark domain, gint code, const gchar *word);

/* Static registration; call first in main(). Runs the suite; returns the exit status. */
int zc_test_main (int argc, char **argv, Suite *suite);
